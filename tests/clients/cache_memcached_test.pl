#!/usr/bin/perl
# What a Perl application does with Cache::Memcached, the first client that memcached had.
# perl cache_memcached_test.pl PORT PORT PORT      prints what is wrong; exit 1
use strict;
use warnings;
use Cache::Memcached;

my @servers = map { "127.0.0.1:$_" } @ARGV;
my $failures = 0;

sub check {
    my ($good, $sentence) = @_;
    return if $good;
    $failures++;
    print "FAILED: $sentence\n";
}

sub is {
    my ($got, $wanted, $sentence) = @_;
    check(defined $got && $got eq $wanted, $sentence);
}

my $cache = Cache::Memcached->new({
    servers => [$servers[0]], compress_threshold => 10_000, connect_timeout => 10,
    select_timeout => 10,
});
$cache->flush_all;

my $bytes = "a\0b\r\nEND\r\n\xff";
check($cache->set(bytes => $bytes) && $cache->get('bytes') eq $bytes, 'bytes of every kind');
check($cache->set(object => {list => [1, 'two', undef]}), 'set of an object');
is($cache->get('object')->{list}[1], 'two', 'get of an object');
my $long = 'compress me ' x 5000;
check($cache->set(long => $long) && $cache->get('long') eq $long, 'a compressed value');
check(!defined $cache->get('absent'), 'a miss');
for my $size (0, 1000, 16_384, 262_144, 1_000_000) {
    my $value = substr(join('', map { chr(33 + $_ * 7 % 90) } 1 .. 1000) x 1001, 0, $size);
    my $plain = Cache::Memcached->new({servers => [$servers[0]], select_timeout => 10});
    check($plain->set(sized => $value) && $plain->get('sized') eq $value, "a value of $size bytes");
}

check($cache->add(fresh => 'b') && !$cache->add(fresh => 'x'), 'add only what is not there');
check(!$cache->replace(absent => 'x') && $cache->replace(fresh => 'b'), 'replace what is there');
check($cache->append(fresh => 'c') && $cache->prepend(fresh => 'a'), 'append and prepend');
is($cache->get('fresh'), 'abc', 'which are seen');
check($cache->delete('fresh') && !$cache->delete('fresh'), 'delete once');

check(!defined $cache->incr('absent'), 'increment of nothing');
check($cache->set(count => 10), 'set a counter');
is($cache->incr('count', 5), 15, 'increment');
is($cache->decr('count', 6), 9, 'decrement');
check($cache->set(past => 'x', 31 * 24 * 3600) && !defined $cache->get('past'), 'a date gone by');

$cache->set("quiet$_", $_) for 1 .. 500;
my $found = $cache->get_multi(map { "quiet$_" } 0 .. 500);
check(keys %$found == 500 && !grep({ $found->{"quiet$_"} != $_ } 1 .. 500), 'get of many keys');

my $app = Cache::Memcached->new({servers => [$servers[0]], namespace => 'app:'});
check($app->set(text => 'other'), 'set in a namespace');
is($cache->get('app:text'), 'other', 'whose name stands before the key');

my $ring = Cache::Memcached->new({servers => \@servers, select_timeout => 10});
my $before = $ring->stats('misc');
$ring->set("spread$_", $_) for 1 .. 300;
check(keys %{$ring->get_multi(map { "spread$_" } 1 .. 300)} == 300, 'keys spread are found again');
my $stats = $ring->stats(['misc', 'settings', 'slabs', 'items', 'sizes']);
my @shares = map {
    $stats->{hosts}{$_}{misc}{total_items} - $before->{hosts}{$_}{misc}{total_items}
} @servers;
check(!grep({ $_ < 30 } @shares), "keys are spread: @shares");
check($stats->{total}{total_items} - $before->{total}{total_items} == 300, 'totals of all servers');

print $failures ? "$failures failures\n" : "all good\n";
exit($failures ? 1 : 0);
