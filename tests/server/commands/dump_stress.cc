// Dumps of a cache that others change meanwhile, on threads of their own: what stays is shown, and
// shown whole.

#include <atomic>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "server/commands/dump.h"
#include "server/os/background_thread.h"
#include "tests/protocol/string_sink.h"
#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

constexpr int kStayingItems = 20'000;

class CountingWaker final : public Waker {
 public:
  void Wake() override { count.fetch_add(1); }
  std::atomic<int> count{0};
};

struct CrawledCache {
  CrawledCache() : clock(1'700'000'000) {
    slab::CacheConfig config;
    config.limit_bytes = 128 * slab::kMiB;
    std::string error;
    cache = slab::Cache::Create(config, clock, &error);
    REQUIRE(cache != nullptr);
    crawler = std::make_unique<Crawler>(*cache, server);
    crawler->SetWake([this] { thread.Wake(); });
    server.live.lru_crawler_sleep.Set(0);
  }
  ~CrawledCache() { thread.Stop(); }

  void Store(slab::Worker& worker, const std::string& key) {
    cache->Online(worker);
    auto item = cache->Reserve(worker, {.key = key, .value_bytes = 20});
    if (item) cache->Commit(worker, std::move(item), {});
    cache->Offline(worker);
  }

  slab::Clock clock;
  FakeServerView server;
  std::unique_ptr<slab::Cache> cache;
  std::unique_ptr<Crawler> crawler;
  BackgroundThread thread;
};

// Stores, replaces and removes keys that pass, until told to stop.
void Churn(CrawledCache& crawled, slab::Worker& worker, int id, const std::atomic<bool>& stop) {
  for (int i = 0; !stop.load(); ++i) {
    const std::string key = "passing-" + std::to_string(id) + "-" + std::to_string(i % 50'000);
    crawled.Store(worker, key);
    if (i % 3 == 0) {
      crawled.cache->Online(worker);
      crawled.cache->Remove(worker, key);
      crawled.cache->Offline(worker);
    }
  }
}

std::string DumpKeys(CrawledCache& crawled) {
  auto pipe = std::make_shared<Pipe>(std::make_shared<CountingWaker>());
  auto job = std::make_unique<KeyDumpJob>(pipe, crawled.clock, kAllClasses);
  REQUIRE(crawled.crawler->Begin(Crawler::Errand::kCrawl, std::move(job)));
  PipeFeed feed(pipe, *crawled.crawler);
  protocol::StringSink replies;
  std::string dump;
  for (auto state = Feed::State::kWaiting; state != Feed::State::kDone;) {
    state = feed.Drain(replies);
    dump += replies.Take();
    std::this_thread::yield();
  }
  return dump;
}

TEST_CASE("a dump shows every item that stays, while others come and go", "[stress]") {
  CrawledCache crawled;
  slab::Worker& filler = crawled.cache->AddWorker();
  for (int i = 0; i < kStayingItems; ++i) crawled.Store(filler, "staying-" + std::to_string(i));
  crawled.thread.Start([&crawled] { return crawled.crawler->Step(); });
  std::atomic<bool> stop{false};
  std::vector<std::thread> churners;
  for (int id = 0; id < 2; ++id) {
    churners.emplace_back([&crawled, &stop, &worker = crawled.cache->AddWorker(), id] {
      Churn(crawled, worker, id, stop);
    });
  }

  for (int round = 0; round < 5; ++round) {
    std::istringstream lines(DumpKeys(crawled));
    std::set<std::string> staying;
    std::string last;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("mg staying-")) staying.insert(line);
      last = line;
    }
    CHECK(staying.size() == kStayingItems);
    CHECK(last == "EN\r");
    // The crawler is free again at most a moment after the last byte.
    while (crawled.crawler->IsBusy(Crawler::Errand::kCrawl)) std::this_thread::yield();
  }
  stop.store(true);
  for (std::thread& churner : churners) churner.join();
}

TEST_CASE("clients that leave in the middle of their dump free the crawler", "[stress]") {
  CrawledCache crawled;
  slab::Worker& filler = crawled.cache->AddWorker();
  for (int i = 0; i < kStayingItems; ++i) crawled.Store(filler, "staying-" + std::to_string(i));
  crawled.thread.Start([&crawled] { return crawled.crawler->Step(); });
  for (int round = 0; round < 50; ++round) {
    auto pipe = std::make_shared<Pipe>(std::make_shared<CountingWaker>());
    auto job = std::make_unique<MetaDumpJob>(pipe, crawled.clock, kAllClasses);
    REQUIRE(crawled.crawler->Begin(Crawler::Errand::kCrawl, std::move(job)));
    {
      PipeFeed feed(pipe, *crawled.crawler);
      protocol::StringSink replies;
      for (int i = 0; i < round; ++i) static_cast<void>(feed.Drain(replies));
    }
    while (crawled.crawler->IsBusy(Crawler::Errand::kCrawl)) std::this_thread::yield();
  }
  SUCCEED("no round hung");
}

}  // namespace
}  // namespace larder::server
