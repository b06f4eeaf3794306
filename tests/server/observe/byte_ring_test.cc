#include "server/observe/byte_ring.h"

#include <cstdint>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

namespace larder::server {
namespace {

std::string TakeAll(ByteRing& ring) {
  std::string taken(ring.Size(), '\0');
  ring.Read(taken);
  return taken;
}

TEST_CASE("a ring's room is a power of two") {
  CHECK(ByteRing(1).Capacity() == 1);
  CHECK(ByteRing(64).Capacity() == 64);
  CHECK(ByteRing(65).Capacity() == 128);
}

TEST_CASE("what is written is read in order, around the ring's end too") {
  ByteRing ring(8);
  CHECK(ring.Write("abcde"));
  CHECK(TakeAll(ring) == "abcde");
  CHECK(ring.Write("fgh", "ijklm"));
  CHECK(ring.Size() == 8);
  CHECK(ring.Front() == "fgh");
  CHECK(TakeAll(ring) == "fghijklm");
  CHECK(ring.Size() == 0);
}

TEST_CASE("what does not fit is not written in part") {
  ByteRing ring(8);
  CHECK(ring.Write("abcde"));
  CHECK_FALSE(ring.Write("fghi"));
  CHECK_FALSE(ring.Write("f", "ghi"));
  CHECK(ring.FreeBytes() == 3);
  CHECK(ring.Write("fgh"));
  CHECK_FALSE(ring.Write("i"));
  CHECK(ring.Write(""));
  CHECK(TakeAll(ring) == "abcdefgh");
}

TEST_CASE("a writer and a reader on two threads agree on every byte", "[stress]") {
  constexpr uint32_t kNumbers = 300'000;
  ByteRing ring(64);
  std::thread writer([&ring] {
    for (uint32_t number = 0; number < kNumbers; ++number) {
      const std::string_view text(reinterpret_cast<const char*>(&number), sizeof(number));
      while (!ring.Write(text.substr(0, 1), text.substr(1))) std::this_thread::yield();
    }
  });
  uint32_t wrong_count = 0;
  for (uint32_t expected = 0; expected < kNumbers; ++expected) {
    while (ring.Size() == 0) std::this_thread::yield();
    uint32_t number = 0;
    ring.Read({reinterpret_cast<char*>(&number), sizeof(number)});
    if (number != expected) ++wrong_count;
  }
  writer.join();
  CHECK(wrong_count == 0);
  CHECK(ring.Size() == 0);
}

}  // namespace
}  // namespace larder::server
