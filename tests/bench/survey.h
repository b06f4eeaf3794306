// tests/bench/survey.h - asks a server which items it holds, one by one, so that what is compared
// is not each server's own idea of an item's size or of being there.
//
// `mg <key> s` answers with the size and moves no value. It is a read like any other: survey last.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tests/bench/item_keys.h"
#include "tests/bench/text_client.h"

namespace larder::bench {

struct Holding {
  uint32_t item_count = 0;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
};

// Of those items; nullopt when the client complains.
[[nodiscard]] std::optional<Holding> Survey(TextClient& client, ItemKeys& keys,
                                            std::span<const uint32_t> items);

// How many items the server itself counts (`curr_items`): those too that have expired and still
// take up room, which a survey would only free.
[[nodiscard]] std::optional<uint64_t> CurrentItems(TextClient& client);

}  // namespace larder::bench
