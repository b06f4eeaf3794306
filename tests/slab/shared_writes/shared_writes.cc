// shared_writes - how many cache lines that other threads use each operation of the engine writes.
//
//     larder_shared_writes            the table, counted
//     larder_shared_writes --check    fails when a get writes such a line, or reads one that only
//                                     the bookkeeping of stores writes
//
// Two workers take turns of 32 operations in one thread, so that every run counts the same. A line
// is counted once for each operation that writes it, however often it does: that is how often it
// has to be fetched from another core, at worst.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "slab/expiry.h"
#include "tests/slab/shared_writes/line_names.h"
#include "tests/slab/shared_writes/memory_trace.h"

namespace larder::slab {
namespace {

constexpr uint32_t kTurnOps = 32;
constexpr uint32_t kTurns = 256;
constexpr uint32_t kItems = kTurnOps * kTurns;
constexpr uint64_t kLimitBytes = 16 * kMiB;
constexpr uint32_t kValueBytes = 20;  // as a number, so that it can be counted up
constexpr uint32_t kNeverStored = 1'000'000'000;
constexpr int64_t kStartUnixS = 1'700'000'000;

// A split of the index is due for less than one in so many stores.
constexpr uint32_t kRare = 50;

// Rows that are looked at.
constexpr std::string_view kGet = "get hit";
constexpr std::string_view kGetMarks = "get hit, mark changes";
constexpr std::string_view kGetMiss = "get miss";
constexpr std::string_view kGetGroup = "get hit in a group";
constexpr std::string_view kReplace = "set, replacing";
constexpr std::string_view kEvict = "set, evicting";

std::string KeyOf(uint32_t number) { return fmt::format("key:{:021}", number); }

// What one kind of operation wrote and read.
struct Row {
  std::string_view name;
  uint32_t op_count = 0;
  std::map<Line, uint32_t> written{};  // line -> operations that wrote it
  std::set<Line> read{};
};

class Experiment {
 public:
  Experiment() {
    CacheConfig config;
    config.limit_bytes = kLimitBytes;
    config.hash_seed = 1;
    std::string error;
    cache_ = Cache::Create(config, clock_, &error);
    if (cache_ == nullptr) throw std::runtime_error(error);
    workers_ = {&cache_->AddWorker(), &cache_->AddWorker()};
    names_ = std::make_unique<LineNames>(*cache_, workers_);
  }

  using Operation = std::function<void(Cache&, Worker&, uint32_t number)>;
  // Each of kItems numbers once; the workers have every other turn, and what one had before the
  // other has now. `ops_in_one`: how many numbers one call serves.
  void Do(std::string_view name, const Operation& operation, uint32_t ops_in_one = 1) {
    Row row{.name = name};
    begin_ = {.name = "begin of a turn"};
    end_ = {.name = "end of a turn"};
    for (uint32_t turn = 0; turn < kTurns; ++turn) {
      const size_t number_of_worker = (turn + rows_.size()) % workers_.size();
      Worker& worker = *workers_[number_of_worker];
      Note(begin_, number_of_worker, [&] { cache_->Online(worker); });
      for (uint32_t i = 0; i < kTurnOps; i += ops_in_one) {
        const uint32_t number = turn * kTurnOps + i;
        Note(row, number_of_worker, [&] { operation(*cache_, worker, number); });
        row.op_count += ops_in_one - 1;
      }
      Note(end_, number_of_worker, [&] { cache_->Offline(worker); });
    }
    rows_.push_back(std::move(row));
  }
  // Uncounted, and until the reserve of free chunks is full as well.
  void FillUntilEvicting(const Operation& operation) {
    constexpr uint64_t kEvictedMin = 20'000;
    for (uint32_t turn = 0; cache_->Stats().sum.evicted < kEvictedMin; ++turn) {
      Worker& worker = *workers_[turn % workers_.size()];
      cache_->Online(worker);
      for (uint32_t i = 0; i < kTurnOps; ++i) operation(*cache_, worker, 0);
      cache_->Offline(worker);
    }
  }
  // Those of the last operation.
  void AddTurns() { rows_.insert(rows_.end(), {begin_, end_}); }

  [[nodiscard]] const Row& RowOf(std::string_view name) const {
    return *std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.name == name; });
  }
  [[nodiscard]] const std::vector<Row>& Rows() const { return rows_; }
  // Lines of the heap that one worker alone has touched are its own.
  [[nodiscard]] LineKind KindOf(Line line) const {
    const LineKind kind = names_->KindOf(line);
    if (kind != LineKind::kElsewhere) return kind;
    const auto touched = touched_by_.find(line);
    return touched != touched_by_.end() && touched->second == 3 ? kind : LineKind::kOwn;
  }

 private:
  template <typename Piece>
  void Note(Row& row, size_t number_of_worker, const Piece& piece) {
    const Traced traced = Trace(piece);
    ++row.op_count;
    for (const Line line : traced.written) ++row.written[line];
    row.read.insert(traced.read.begin(), traced.read.end());
    const auto worker_bit = static_cast<uint8_t>(1U << number_of_worker);
    for (const Line line : traced.written) touched_by_[line] |= worker_bit;
    for (const Line line : traced.read) touched_by_[line] |= worker_bit;
  }

  Clock clock_{kStartUnixS};
  std::unique_ptr<Cache> cache_;
  std::vector<Worker*> workers_;
  std::unique_ptr<LineNames> names_;
  std::vector<Row> rows_;
  Row begin_;
  Row end_;
  std::map<Line, uint8_t> touched_by_;  // a bit for each worker
};

// --- operations ----------------------------------------------------------------------------------

void Expect(bool is_so, std::string_view what) {
  if (!is_so) throw std::runtime_error(std::string(what));
}

void Set(Cache& cache, Worker& worker, uint32_t number) {
  const std::string key = KeyOf(number);
  Reservation reservation = cache.Reserve(worker, {.key = key, .value_bytes = kValueBytes});
  Expect(reservation.Status() == ReserveStatus::kReserved, "a store was refused");
  std::memset(reservation.Value().data(), '1', kValueBytes);
  const StoreResult result =
      cache.Commit(worker, std::move(reservation), {.mode = StoreMode::kSet});
  Expect(result.status == StoreStatus::kStored, "a store failed");
}

void Get(Cache& cache, Worker& worker, uint32_t number) {
  Expect(static_cast<bool>(cache.Get(worker, KeyOf(number))), "a key is missing");
}

void GetMissing(Cache& cache, Worker& worker, uint32_t number) {
  Expect(!cache.Get(worker, KeyOf(number + kNeverStored)), "a key is there");
}

void GetTurn(Cache& cache, Worker& worker, uint32_t number) {
  std::array<std::string, kTurnOps> texts;
  std::array<std::string_view, kTurnOps> keys;
  std::array<Hit, kTurnOps> hits;
  for (uint32_t i = 0; i < kTurnOps; ++i) keys[i] = texts[i] = KeyOf(number + i);
  cache.GetGroup(worker, keys, hits);
  for (const Hit& hit : hits) Expect(static_cast<bool>(hit), "a key is missing");
}

void Touch(Cache& cache, Worker& worker, uint32_t number) {
  Expect(cache.Touch(worker, KeyOf(number), kNeverExpires), "a key is missing");
}

void Incr(Cache& cache, Worker& worker, uint32_t number) {
  const ArithmeticResult result = cache.Arithmetic(worker, KeyOf(number), {});
  Expect(result.status == ArithmeticStatus::kDone, "a sum failed");
}

void Delete(Cache& cache, Worker& worker, uint32_t number) {
  Expect(cache.Remove(worker, KeyOf(number)) == RemoveStatus::kRemoved, "a key is missing");
}

void RunAll(Experiment& experiment) {
  experiment.Do("set, new key", Set);
  experiment.Do(kGetMarks, Get);
  experiment.Do(kGet, Get);
  experiment.Do(kGetMiss, GetMissing);
  experiment.Do(kGetGroup, GetTurn, kTurnOps);
  experiment.Do(kReplace, Set);
  experiment.Do("touch", Touch);
  experiment.Do("incr", Incr);
  experiment.Do("delete", Delete);
  uint32_t next = kItems;
  const auto set_next = [&next](Cache& cache, Worker& worker, uint32_t) {
    Set(cache, worker, next++);
  };
  experiment.FillUntilEvicting(set_next);
  experiment.Do(kEvict, set_next);
  experiment.AddTurns();
}

// --- what comes of it ----------------------------------------------------------------------------

void Print(const Experiment& experiment) {
  fmt::print("{:<24}", "lines written per op");
  for (size_t kind = 0; kind < kSharedKindCount; ++kind) {
    fmt::print("{:>9}", NameOf(static_cast<LineKind>(kind)));
  }
  fmt::print("\n");
  for (const Row& row : experiment.Rows()) {
    std::array<uint64_t, kSharedKindCount + 1> counts{};
    for (const auto& [line, count] : row.written) {
      counts[static_cast<size_t>(experiment.KindOf(line))] += count;
    }
    fmt::print("{:<24}", row.name);
    for (size_t kind = 0; kind < kSharedKindCount; ++kind) {
      const double per_op = static_cast<double>(counts[kind]) / row.op_count;
      fmt::print("{:>9}", counts[kind] == 0 ? "." : fmt::format("{:.3f}", per_op));
    }
    fmt::print("\n");
  }
}

// How many shared lines this row wrote; they are told. `may_mark`: items aside.
uint32_t CountForeignWrites(const Experiment& experiment, const Row& row, bool may_mark) {
  uint32_t count = 0;
  for (const auto& [line, times] : row.written) {
    const LineKind kind = experiment.KindOf(line);
    if (kind == LineKind::kOwn || (may_mark && kind == LineKind::kItem)) continue;
    fmt::print("{} writes a line of '{}' {} times\n", row.name, NameOf(kind), times);
    ++count;
  }
  return count;
}

// Buckets and items are what gets and stores are about, and a split of a bucket has to be seen. Any
// other line that a get reads and a store writes has come to lie there by accident, and costs each
// get a look into another core's cache.
uint32_t CountSpoiledReads(const Experiment& experiment, const Row& get, const Row& store) {
  uint32_t count = 0;
  for (const Line line : get.read) {
    const auto written = store.written.find(line);
    if (written == store.written.end()) continue;
    const LineKind kind = experiment.KindOf(line);
    if (kind == LineKind::kOwn || kind == LineKind::kBucket || kind == LineKind::kItem) continue;
    if (kind == LineKind::kGrowth && written->second * kRare <= store.op_count) continue;
    fmt::print("{} reads a line of '{}' ({:#x}) that {} writes {} times\n", get.name, NameOf(kind),
               line * kLineBytes, store.name, written->second);
    ++count;
  }
  return count;
}

bool Check(const Experiment& experiment) {
  uint32_t failure_count = 0;
  for (const std::string_view name : {kGet, kGetMiss, kGetGroup}) {
    failure_count += CountForeignWrites(experiment, experiment.RowOf(name), /*may_mark=*/false);
  }
  failure_count += CountForeignWrites(experiment, experiment.RowOf(kGetMarks), /*may_mark=*/true);
  for (const std::string_view store : {kReplace, kEvict}) {
    failure_count += CountSpoiledReads(experiment, experiment.RowOf(kGet), experiment.RowOf(store));
  }
  return failure_count == 0;
}

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) {
  larder::slab::Experiment experiment;
  larder::slab::RunAll(experiment);
  larder::slab::Print(experiment);
  const bool checks = argc > 1 && std::string_view(argv[1]) == "--check";
  return checks && !larder::slab::Check(experiment) ? 1 : 0;
}
