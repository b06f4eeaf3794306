<?php
// What a PHP application does with php-memcached.
// php php_memcached_test.php text|binary PORT      prints what is wrong; exit 1
declare(strict_types=1);

[, $protocol, $port] = $argv;
$port = (int)$port;
$binary = $protocol === 'binary';
$failures = 0;

function check(bool $good, string $sentence): void
{
    global $failures, $cache;
    if (!$good) {
        $failures++;
        echo "FAILED: $sentence (", $cache->getResultMessage(), ")\n";
    }
}

$cache = new Memcached();
$cache->setOption(Memcached::OPT_BINARY_PROTOCOL, $binary);
$cache->setOption(Memcached::OPT_TCP_NODELAY, true);
$cache->addServer('127.0.0.1', $port);
check($cache->flush(), 'flush empties the server');

// Values of every PHP type keep their type: it travels in the client flags.
$values = [
    'text' => 'a text', 'empty' => '', 'integer' => 42, 'negative' => -7, 'float' => 2.5,
    'true' => true, 'false' => false, 'list' => [1, 'two', null, [3]],
    'binary' => "a\0b\r\nEND\r\n\xff", 'long' => str_repeat('compress me ', 5000),
    'large' => random_bytes(900000),
];
foreach ($values as $key => $value) {
    check($cache->set($key, $value), "set $key");
    check($cache->get($key) === $value, "get $key returns what was set");
}
$object = new ArrayObject(['x' => 1]);
check($cache->set('object', $object) && $cache->get('object') == $object, 'an object comes back');

check($cache->getMulti(array_keys($values)) === $values, 'getMulti returns everything, in order');
check($cache->setMulti(['m1' => 1, 'm2' => 2], 100), 'setMulti');
check($cache->deleteMulti(['m1', 'm2', 'm3'])['m3'] === Memcached::RES_NOTFOUND, 'deleteMulti');
check($cache->get('absent') === false
    && $cache->getResultCode() === Memcached::RES_NOTFOUND, 'a miss says so');

check(!$cache->add('text', 'x') && $cache->getResultCode()
    === ($binary ? Memcached::RES_DATA_EXISTS : Memcached::RES_NOTSTORED),
    'add does not overwrite');
check(!$cache->replace('absent', 'x'), 'replace needs an item');
check($cache->add('fresh', 'x') && $cache->replace('fresh', 'y'), 'add, then replace');
$cache->setOption(Memcached::OPT_COMPRESSION, false);
check($cache->set('joined', 'b') && $cache->append('joined', 'c') && $cache->prepend('joined', 'a')
    && $cache->get('joined') === 'abc', 'append and prepend');

$extended = $cache->get('fresh', null, Memcached::GET_EXTENDED);
check($extended['value'] === 'y' && $extended['cas'] > 0, 'a get with its cas number');
check($cache->cas($extended['cas'], 'fresh', 'z'), 'cas with the current number');
check(!$cache->cas($extended['cas'], 'fresh', 'w')
    && $cache->getResultCode() === Memcached::RES_DATA_EXISTS, 'cas with an old number');
check($cache->get('fresh') === 'z', 'what the good cas stored stays');

check($cache->increment('absent', 1) === false, 'increment of nothing');
check($cache->set('count', 10), 'set a counter');
check($cache->increment('count') === 11 && $cache->increment('count', 89) === 100, 'increment');
check($cache->decrement('count', 1) === 99, 'decrement');
check($cache->get('count') === 99, 'a decremented counter is still an integer');
check($cache->decrement('count', 1000) === 0, 'decrement stops at zero');

check($cache->set('brief', 'x', 1) && $cache->set('kept', 'x', 1), 'set with a time to live');
check($cache->touch('kept', 100), 'touch');
check($cache->set('past', 'x', time() - 10), 'a date in the past is stored');
check($cache->set('future', 'x', time() + 1000), 'a date in the future is stored');
check($cache->get('past') === false && $cache->get('future') === 'x', 'dates count as dates');
usleep(2200000);
check($cache->get('brief') === false, 'an item is gone after its time');
check($cache->get('kept') === 'x', 'a touched item stays');

check($cache->delete('kept') && !$cache->delete('kept'), 'delete once');
check(!$cache->set(str_repeat('k', 251), 'x'), 'a key of 251 bytes is refused');
check($cache->set(str_repeat('k', 250), 'x') && $cache->get(str_repeat('k', 250)) === 'x',
    'a key of 250 bytes is not');
check(!$cache->set('huge', random_bytes(1100000)), 'a value above the limit is refused');
check($cache->get('text') === 'a text', 'and the connection goes on');

$cache->getDelayed(['text', 'integer'], true);
check(count($cache->fetchAll()) === 2, 'getDelayed and fetchAll');
check(count($cache->getStats()) === 1, 'stats of one server');
$version = array_values($cache->getVersion())[0];
check(preg_match('/^\d+\.\d+\.\d+$/', $version) === 1, "version is plain numbers: $version");

// Every serializer and compression that the extension was built with.
$cache->setOption(Memcached::OPT_COMPRESSION, true);
$nested = ['list' => range(1, 2000), 'text' => str_repeat('abc', 3000), 'float' => 1.5];
foreach (['PHP', 'IGBINARY', 'MSGPACK', 'JSON_ARRAY'] as $serializer) {
    foreach (['FASTLZ', 'ZLIB'] as $compression) {
        $name = "$serializer with $compression";
        check($cache->setOption(Memcached::OPT_SERIALIZER,
            constant("Memcached::SERIALIZER_$serializer")), $name);
        check($cache->setOption(Memcached::OPT_COMPRESSION_TYPE,
            constant("Memcached::COMPRESSION_$compression")), $name);
        check($cache->set('nested', $nested) && $cache->get('nested') === $nested, $name);
    }
}

// A counter may begin by itself only in the binary protocol.
if ($binary) {
    check($cache->increment('begun', 1, 50, 100) === 50, 'increment begins a counter');
    check($cache->increment('begun', 1, 50, 100) === 51, 'and then counts');
    check($cache->decrement('down', 1, 9) === 9 && $cache->decrement('down', 2, 9) === 7,
        'decrement begins a counter');
    check($cache->get('begun') === '51', 'such a counter has no client flags, so no PHP type');
}

$cache->setOption(Memcached::OPT_PREFIX_KEY, 'prefix:');
check($cache->set('text', 'prefixed') && $cache->getMulti(['text']) === ['text' => 'prefixed'],
    'a prefix is added and taken off');
$cache->setOption(Memcached::OPT_PREFIX_KEY, '');
check($cache->get('prefix:text') === 'prefixed' && $cache->get('text') === 'a text',
    'and stands on the key in the server');

// Without waiting for replies, and many requests in one packet.
$buffered = new Memcached();
$buffered->setOption(Memcached::OPT_BINARY_PROTOCOL, $binary);
$buffered->setOption(Memcached::OPT_NO_BLOCK, true);
$buffered->setOption(Memcached::OPT_BUFFER_WRITES, true);
$buffered->addServer('127.0.0.1', $port);
for ($number = 0; $number < 1000; $number++) {
    $buffered->set("buffered$number", $number);
}
check($buffered->get('buffered999') === 999, 'buffered writes arrive in order');
$buffered->quit();

echo $failures === 0 ? "all good\n" : "$failures failures\n";
exit($failures === 0 ? 0 : 1);
