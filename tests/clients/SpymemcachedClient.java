import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.spy.memcached.CASResponse;
import net.spy.memcached.CASValue;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Locator;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.internal.OperationFuture;
import net.spy.memcached.transcoders.SerializingTranscoder;

/**
 * What a Java application does with spymemcached.
 *
 * <p>java SpymemcachedClient TEXT|BINARY PORT PORT PORT prints what is wrong; exit 1
 */
public final class SpymemcachedClient {
  private static final int IN_THE_PAST = 31 * 24 * 3600;

  private final Protocol protocol;
  private final List<InetSocketAddress> servers;
  private int failures = 0;

  private SpymemcachedClient(Protocol protocol, List<InetSocketAddress> servers) {
    this.protocol = protocol;
    this.servers = servers;
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
    Logger.getLogger("net.spy").setLevel(Level.OFF);
    List<InetSocketAddress> servers = new ArrayList<>();
    for (String port : Arrays.asList(arguments).subList(1, arguments.length)) {
      servers.add(new InetSocketAddress("127.0.0.1", Integer.parseInt(port)));
    }
    SpymemcachedClient test = new SpymemcachedClient(Protocol.valueOf(arguments[0]), servers);
    MemcachedClient client = test.connect(servers.subList(0, 1));
    test.storing(client);
    test.conditional(client);
    test.counting(client);
    test.manyAtOnce(client);
    test.asking(client);
    client.shutdown();
    test.spreading();
    System.out.println(test.failures == 0 ? "all good" : test.failures + " failures");
    System.exit(test.failures == 0 ? 0 : 1);
  }

  private MemcachedClient connect(List<InetSocketAddress> some) throws Exception {
    ConnectionFactoryBuilder builder =
        new ConnectionFactoryBuilder()
            .setProtocol(protocol)
            .setLocatorType(Locator.CONSISTENT)
            .setHashAlg(DefaultHashAlgorithm.KETAMA_HASH)
            .setUseNagleAlgorithm(false)
            .setOpTimeout(20000);
    // The transcoder itself refuses values above its limit; here the server shall.
    SerializingTranscoder transcoder = new SerializingTranscoder(16 << 20);
    return new MemcachedClient(builder.setTranscoder(transcoder).build(), some);
  }

  private void check(boolean good, String sentence) {
    if (!good) {
      failures++;
      System.out.println("FAILED: " + sentence);
    }
  }

  private static boolean done(OperationFuture<Boolean> future) throws Exception {
    return future.get();
  }

  private void storing(MemcachedClient client) throws Exception {
    check(done(client.flush()), "flush");
    Map<String, Object> values = new HashMap<>();
    values.put("text", "\u00e4\u20ac");
    values.put("integer", 42);
    values.put("long", -7L);
    values.put("true", true);
    values.put("list", new ArrayList<>(Arrays.asList("a", 1, null)));
    values.put("compressed", "compress me ".repeat(5000));
    for (Map.Entry<String, Object> entry : values.entrySet()) {
      check(done(client.set(entry.getKey(), 0, entry.getValue())), "set " + entry.getKey());
      check(entry.getValue().equals(client.get(entry.getKey())), "get " + entry.getKey());
    }
    check(client.get("absent") == null, "a miss");
    for (int size : new int[] {0, 1000, 16384, 262144, 1000000}) {
      byte[] bytes = new byte[size];
      new Random(size).nextBytes(bytes);
      check(done(client.set("sized", 0, bytes)), "set of " + size);
      check(Arrays.equals(bytes, (byte[]) client.get("sized")), "get of " + size);
    }
    byte[] huge = new byte[1100000];
    new Random(1).nextBytes(huge);
    check(!accepted(client, huge), "a value above the limit is refused");
    check(done(client.set("huge", 0, "small")), "and the connection goes on");
    check(done(client.set("past", IN_THE_PAST, "x")), "set with a date gone by");
    check(client.get("past") == null, "which is gone");
  }

  private static boolean accepted(MemcachedClient client, byte[] value) {
    try {
      return client.set("huge", 0, value).get();
    } catch (Exception refusal) {
      return false;
    }
  }

  private void conditional(MemcachedClient client) throws Exception {
    check(!done(client.replace("fresh", 0, "x")), "replace needs an item");
    check(done(client.add("fresh", 0, "b")), "add");
    check(!done(client.add("fresh", 0, "x")), "add does not overwrite");
    check(done(client.append("fresh", "c")) && done(client.prepend("fresh", "a")), "append");
    check("abc".equals(client.get("fresh")), "append and prepend are seen");
    check(done(client.touch("fresh", 100)), "touch");
    check(!done(client.touch("absent", 100)), "touch needs an item");
    if (protocol == Protocol.BINARY) {
      check("abc".equals(client.getAndTouch("fresh", 200).getValue()), "get and touch");
      check(client.getAndTouch("absent", 200) == null, "get and touch of nothing");
    }
    CASValue<Object> before = client.gets("fresh");
    check("abc".equals(before.getValue()), "gets");
    check(client.cas("fresh", before.getCas(), "two") == CASResponse.OK, "cas with the number");
    check(client.cas("fresh", before.getCas(), "three") == CASResponse.EXISTS, "with an old one");
    check(client.cas("absent", 1, "x") == CASResponse.NOT_FOUND, "cas of nothing");
    check("two".equals(client.get("fresh")), "what the good cas stored stays");
    check(done(client.delete("fresh")), "delete");
    check(!done(client.delete("fresh")), "delete once");
  }

  private void counting(MemcachedClient client) throws Exception {
    check(client.incr("absent", 1) == -1, "increment of nothing");
    check(client.incr("count", 5, 10) == 10, "a counter begins where the client says");
    check(client.incr("count", 5) == 15, "increment");
    check(client.decr("count", 6) == 9 && client.decr("count", 100) == 0, "decrement");
    List<OperationFuture<Long>> pending = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      pending.add(client.asyncIncr("count", 1));
    }
    long expected = 0;
    for (OperationFuture<Long> future : pending) {
      check(future.get() == ++expected, "increments are answered in order");
    }
  }

  private void manyAtOnce(MemcachedClient client) throws Exception {
    Map<String, Object> many = new HashMap<>();
    List<OperationFuture<Boolean>> pending = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.put("many" + i, "value" + i);
      pending.add(client.set("many" + i, 0, "value" + i));
    }
    for (OperationFuture<Boolean> future : pending) {
      check(done(future), "sets in flight together");
    }
    Collection<String> keys = new ArrayList<>(many.keySet());
    keys.add("absent");
    check(client.getBulk(keys).equals(many), "get of many keys");
  }

  private void asking(MemcachedClient client) {
    String version = client.getVersions().values().iterator().next();
    check(version.matches("\\d+\\.\\d+\\.\\d+"), "version is plain numbers: " + version);
    check(client.getStats().values().iterator().next().containsKey("curr_items"), "stats");
    for (String group : new String[] {"settings", "items", "slabs"}) {
      check(!client.getStats(group).values().iterator().next().isEmpty(), "stats " + group);
    }
  }

  private void spreading() throws Exception {
    MemcachedClient ring = connect(servers);
    check(done(ring.flush()), "flush of every server");
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      keys.add("spread" + i);
      check(done(ring.set("spread" + i, 0, i)), "set on a ring");
    }
    check(ring.getBulk(keys).size() == keys.size(), "all keys are found again");
    ring.shutdown();
    for (InetSocketAddress server : servers) {
      MemcachedClient single = connect(Arrays.asList(server));
      check(single.getBulk(keys).size() > 30, "every server has its share");
      single.shutdown();
    }
  }
}
