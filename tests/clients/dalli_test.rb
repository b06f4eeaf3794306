# frozen_string_literal: true

# What a Ruby application does with dalli, which speaks the binary protocol.
# ruby dalli_test.rb PORT PORT PORT      prints what is wrong; exit 1
require 'dalli'

Dalli.logger.level = Logger::FATAL

SERVERS = ARGV.map { |port| "127.0.0.1:#{port}" }
VALUES = {
  'text' => "\u00e4\u20ac", 'bytes' => "a\0b\r\nEND\r\n\xff".b, 'integer' => 42, 'nil' => nil,
  'object' => { 'a' => [1, nil, 2.5] }, 'empty' => '', 'long' => 'compress me ' * 5000
}.freeze

$failures = 0

def check(sentence)
  return if yield

  $failures += 1
  puts "FAILED: #{sentence}"
rescue StandardError => e
  $failures += 1
  puts "FAILED: #{sentence}: #{e.class} #{e.message}"
end

def refused?(error)
  yield
  false
rescue error
  true
end

cache = Dalli::Client.new(SERVERS.first)
check('flush') { cache.flush == [true] }
check('the server is alive') { cache.alive! }
check('version is plain numbers') { cache.version.values.first.match?(/\A\d+\.\d+\.\d+\z/) }

VALUES.each do |key, value|
  check("set and get of #{key}") { cache.set(key, value) && cache.get(key) == value }
end
check('get of many keys') { cache.get_multi(*VALUES.keys, 'absent') == VALUES }
check('fetch computes once') do
  [1, 2].map { |number| cache.fetch('computed', 100) { number } } == [1, 1]
end
check('add keeps what is there') { !cache.add('text', 'x') && cache.add('new', 'one') }
check('replace needs an item') do
  cache.replace('absent', 'x')
  cache.get('absent').nil? && cache.replace('new', 'two') && cache.get('new') == 'two'
end
check('delete once') { cache.delete('new') && !cache.delete('new') }
check('append and prepend') do
  cache.set('raw', 'b', 0, raw: true)
  cache.append('raw', 'c') && cache.prepend('raw', 'a') && cache.get('raw', raw: true) == 'abc'
end
check('append needs an item') { !cache.append('absent', 'x') }

check('counters begin where the client says') do
  cache.incr('up', 5).nil? && cache.incr('up', 5, 0, 10) == 10 && cache.incr('up', 5) == 15 &&
    cache.decr('up', 6) == 9 && cache.decr('up', 100).zero? && cache.decr('down', 1, 0, 7) == 7
end
check('touch and get-and-touch') do
  cache.set('kept', 'x', 1) && cache.touch('kept', 100) && cache.gat('kept', 200) == 'x' &&
    !cache.touch('absent', 1) && cache.gat('absent', 1).nil?
end

check('cas changes what is there') do
  cache.set('shared', 1) && cache.cas('shared') { |value| value + 1 } && cache.get('shared') == 2
end
check('cas gives up when somebody was faster') do
  cache.cas('shared') { |value| cache.set('shared', 10) && value + 1 } == false &&
    cache.get('shared') == 10
end
check('cas of nothing') { cache.cas('absent') { 1 }.nil? }
check('cas numbers by hand') do
  value, cas = cache.get_cas('shared')
  value == 10 && !cache.set_cas('shared', 0, cas + 1) && (cas = cache.set_cas('shared', 11, cas)) &&
    cache.replace_cas('shared', 12, cas) && !cache.delete_cas('shared', cas) &&
    cache.get_multi_cas('shared', 'text').transform_values(&:first) ==
      { 'shared' => 12, 'text' => VALUES['text'] }
end

check('quiet requests in a block arrive, in order') do
  cache.multi do
    500.times { |number| cache.set("quiet#{number % 100}", number) }
    cache.delete('quiet0')
    cache.add('quiet1', 'not stored')
  end
  cache.get('quiet99') == 499 && cache.get('quiet0').nil? && cache.get('quiet1') == 401
end

check('sizes up to the limit') do
  [1000, 16_384, 262_144, 1_000_000].all? do |size|
    value = Random.bytes(size)
    cache.set('sized', value, 0, raw: true) && cache.get('sized', raw: true) == value
  end
end
check('a value above the limit is refused') do
  refused?(Dalli::ValueOverMaxSize) do
    Dalli::Client.new(SERVERS.first, value_max_bytes: 2**20).set('huge', Random.bytes(1_100_000))
  end
end
check('the server refuses it too, and the connection goes on') do
  open = Dalli::Client.new(SERVERS.first, value_max_bytes: 2**30, compress: false)
  open.set('huge', Random.bytes(1_100_000), 0, raw: true) rescue Dalli::DalliError
  open.set('huge', 'small') && open.get('huge') == 'small'
end

check('a namespace stands before the key') do
  Dalli::Client.new(SERVERS.first, namespace: 'app').set('text', 'other')
  cache.get('app:text') == 'other' && cache.get('text') == VALUES['text']
end
check('statistics') do
  stats = cache.stats.values.first
  stats['curr_items'].to_i.positive? && cache.stats(:settings).values.first.key?('maxbytes') &&
    cache.stats(:items).values.first.keys.any? { |key| key.end_with?(':number') } &&
    cache.stats(:slabs).values.first.key?('active_slabs')
end
check('statistics are reset') do
  cache.reset_stats == [true] && cache.stats.values.first['get_hits'] == '0'
end

ring = Dalli::Client.new(SERVERS)
many = (0...300).to_h { |number| ["spread#{number}", number] }
check('keys are spread over servers and found again') do
  stored = -> { ring.stats.values.map { |stats| stats['total_items'].to_i } }
  before = stored.call
  many.each { |key, value| ring.set(key, value) }
  counts = stored.call.zip(before).map { |now, earlier| now - earlier }
  ring.get_multi(*many.keys) == many && counts.sum == many.size && counts.min > 30
end

threads = Dalli::Client.new(SERVERS.first)
check('threads share a client') do
  threads.set('count', 0, 0, raw: true)
  Array.new(4) { Thread.new { 500.times { threads.incr('count') } } }.each(&:join)
  threads.get('count', raw: true).to_i == 2000
end

puts $failures.zero? ? 'all good' : "#{$failures} failures"
exit $failures.zero?
