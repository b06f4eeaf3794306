#!/usr/bin/perl
# What a Perl application does with Cache::Memcached::Fast, which is written in C and speaks text.
# perl cache_memcached_fast_test.pl PORT PORT PORT   prints what is wrong; exit 1
use strict;
use warnings;
use Cache::Memcached::Fast;

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

my $cache = Cache::Memcached::Fast->new({
    servers => [$servers[0]], io_timeout => 10, connect_timeout => 10, utf8 => 1,
    compress_threshold => 10_000,
});
check($cache->flush_all->{$servers[0]}, 'flush empties the server');
check($cache->server_versions->{$servers[0]} =~ /^\d+\.\d+\.\d+$/, 'version is plain numbers');

check($cache->set(text => "\x{e4}\x{20ac}"), 'set of text');
is($cache->get('text'), "\x{e4}\x{20ac}", 'get of text');
my $bytes = "a\0b\r\nEND\r\n\xff";
check($cache->set(bytes => $bytes) && $cache->get('bytes') eq $bytes, 'bytes of every kind');
check($cache->set(object => {list => [1, 'two', undef]}), 'set of an object');
is($cache->get('object')->{list}[1], 'two', 'get of an object');
my $long = 'compress me ' x 5000;
check($cache->set(long => $long) && $cache->get('long') eq $long, 'a compressed value');
check(!defined $cache->get('absent'), 'a miss');
for my $size (0, 1000, 16_384, 262_144, 1_000_000) {
    my $value = substr(join('', map { chr(33 + $_ * 7 % 90) } 1 .. 1000) x 1001, 0, $size);
    my $plain = Cache::Memcached::Fast->new({servers => [$servers[0]], io_timeout => 10});
    check($plain->set(sized => $value) && $plain->get('sized') eq $value, "a value of $size bytes");
}

my %many = map { ("many$_" => $_) } 1 .. 300;
my $stored = $cache->set_multi(map { [$_ => $many{$_}] } keys %many);
check(scalar(grep { $_ } values %$stored) == 300, 'set of many keys');
my $found = $cache->get_multi(keys %many, 'absent');
check(scalar(keys %$found) == 300 && !grep({ $found->{$_} ne $many{$_} } keys %many),
    'get of many keys');
check($cache->delete_multi('many1', 'many2', 'absent')->{many1}, 'delete of many keys');

check($cache->add(fresh => 'b') && !$cache->add(fresh => 'x'), 'add only what is not there');
check(!$cache->replace(absent => 'x') && $cache->replace(fresh => 'b'), 'replace what is there');
check($cache->append(fresh => 'c') && $cache->prepend(fresh => 'a'), 'append and prepend');
is($cache->get('fresh'), 'abc', 'which are seen');
check($cache->delete('fresh') && !$cache->delete('fresh'), 'delete once');

check(!defined $cache->incr('absent') || !$cache->incr('absent'), 'increment of nothing');
check($cache->set(count => 10), 'set a counter');
is($cache->incr('count', 5), 15, 'increment');
is($cache->decr('count', 6), 9, 'decrement');
is($cache->decr('count', 100), '0E0', 'decrement to zero, which is true in Perl');
my $counts = $cache->incr_multi(['count', 2], ['absent', 1]);
is($counts->{count}, 2, 'increment of many');

check($cache->set(shared => 'one'), 'set for cas');
my $pair = $cache->gets('shared');
check($cache->cas('shared', $pair->[0], 'two'), 'cas with the current number');
check(!$cache->cas('shared', $pair->[0], 'three'), 'cas with an old number');
is($cache->get('shared'), 'two', 'what the good cas stored stays');
check(keys %{$cache->gets_multi('shared', 'count', 'absent')} == 2, 'gets of many keys');

check($cache->set(kept => 'x', 1) && $cache->touch('kept', 100), 'touch');
is($cache->gat(200, 'kept'), 'x', 'get and touch');
check($cache->set(past => 'x', 31 * 24 * 3600) && !defined $cache->get('past'), 'a date gone by');

# In void context nobody waits for an answer.
$cache->set("quiet$_", $_) for 1 .. 500;
$cache->delete('quiet1');
$cache->incr('quiet2', 40);
$cache->nowait_push;
check(!defined $cache->get('quiet1'), 'a delete without an answer');
is($cache->get('quiet2'), 42, 'an increment without an answer');
is($cache->get('quiet500'), 500, 'a set without an answer');

my $app = Cache::Memcached::Fast->new({servers => [$servers[0]], namespace => 'app:'});
check($app->set(text => 'other'), 'set in a namespace');
is($cache->get('app:text'), 'other', 'whose name stands before the key');

my $ring = Cache::Memcached::Fast->new({servers => \@servers, ketama_points => 150});
$ring->flush_all;
$ring->set_multi(map { [$_ => $many{$_}] } keys %many);
check(keys %{$ring->get_multi(keys %many)} == 300, 'keys spread over servers are found again');
my @shares = map {
    scalar keys %{Cache::Memcached::Fast->new({servers => [$_]})->get_multi(keys %many)}
} @servers;
check(!grep({ $_ < 30 } @shares), "keys are spread: @shares");

print $failures ? "$failures failures\n" : "all good\n";
exit($failures ? 1 : 0);
