<?php
// What a PHP application does with php-memcache, the older of PHP's two extensions.
// php php_memcache_test.php ascii|binary PORT      prints what is wrong; exit 1
declare(strict_types=1);

[, $protocol, $port] = $argv;
$port = (int)$port;
ini_set('memcache.protocol', $protocol);
$failures = 0;

function check(bool $good, string $sentence): void
{
    global $failures;
    if (!$good) {
        $failures++;
        echo "FAILED: $sentence\n";
    }
}

$cache = new Memcache();
check($cache->connect('127.0.0.1', $port, 10), 'connect');
check($cache->flush(), 'flush empties the server');
check(preg_match('/^\d+\.\d+\.\d+$/', $cache->getVersion()) === 1, 'version is plain numbers');

$values = [
    'text' => 'a text', 'empty' => '', 'integer' => 42, 'negative' => -7, 'float' => 2.5,
    'true' => true, 'false' => false, 'list' => [1, 'two', null, [3]],
    'binary' => "a\0b\r\nEND\r\n\xff", 'large' => random_bytes(900000),
];
foreach ($values as $key => $value) {
    check($cache->set($key, $value), "set $key");
    check($cache->get($key) === $value, "get $key returns what was set");
}
$many = $cache->get(array_keys($values));
ksort($many);
$sorted = $values;
ksort($sorted);
check($many === $sorted, 'get of many keys returns everything');
check($cache->get('absent') === false, 'a miss');
check($cache->get(['absent', 'text']) === ['text' => 'a text'], 'hits and misses mixed');

$long = str_repeat('compress me ', 5000);
check($cache->set('squeezed', $long, MEMCACHE_COMPRESSED), 'set of a compressed value');
check($cache->get('squeezed', $flags) === $long, 'which comes back');
check(($flags & MEMCACHE_COMPRESSED) !== 0, 'and was compressed');
$cache->setCompressThreshold(1000, 0.1);
check($cache->set('squeezed', $long) && $cache->get('squeezed') === $long, 'compression by size');

check(!$cache->add('text', 'x'), 'add does not overwrite');
check($cache->add('fresh', 'x') && $cache->replace('fresh', 'b'), 'add, then replace');
check($cache->append('fresh', 'c') && $cache->prepend('fresh', 'a')
    && $cache->get('fresh') === 'abc', 'append and prepend');

$cas = 0;
check($cache->get('fresh', $flags, $cas) === 'abc' && $cas > 0, 'a get with its cas number');
check($cache->cas('fresh', 'second', 0, 0, $cas), 'cas with the current number');
check(!$cache->cas('fresh', 'third', 0, 0, $cas), 'cas with an old number');
check($cache->get('fresh') === 'second', 'what the good cas stored stays');

check($cache->increment('absent') === false, 'increment of nothing');
check($cache->set('count', 10), 'set a counter');
check($cache->increment('count') === 11 && $cache->increment('count', 89) === 100, 'increment');
check($cache->decrement('count', 1) === 99 && $cache->decrement('count', 1000) === 0,
    'decrement, which stops at zero');

check($cache->set('kept', 'x', 0, 100) && $cache->set('past', 'x', 0, time() - 10), 'set, dated');
check($cache->get('past') === false && $cache->get('kept') === 'x', 'dates count as dates');
check($cache->delete('kept') && !$cache->delete('kept'), 'delete once');
check($cache->set(str_repeat('k', 250), 'x') && $cache->get(str_repeat('k', 250)) === 'x',
    'a key of 250 bytes');

check($cache->getServerStatus('127.0.0.1', $port) !== 0, 'the server counts as up');
check(!@$cache->set('huge', random_bytes(1100000)), 'a value above the limit is refused');

// In the binary protocol the extension takes "not found" here for a broken server, and sends no
// request for statistics.
if ($protocol === 'ascii') {
    check(!$cache->replace('absent', 'x') && !$cache->append('absent', 'x')
        && !$cache->prepend('absent', 'x'), 'replace, append and prepend need an item');
    check((int)$cache->getStats()['curr_items'] > 10, 'stats');
    check(count($cache->getExtendedStats('slabs')) === 1, 'stats of a group');
}

$again = new Memcache();
check($again->pconnect('127.0.0.1', $port, 10) && $again->get('text') === 'a text',
    'a persistent connection');
$again->close();

echo $failures === 0 ? "all good\n" : "$failures failures\n";
exit($failures === 0 ? 0 : 1);
