// protocol/limits.h - how much of anything a client may say at once.
//
// Units    bytes unless the name says otherwise.
// Source   memcached 1.6.45's own limits where clients can meet them; the rest says why.
// Not here the size of values that the cache takes: server/commands/storage.h
#pragma once

#include <cstddef>
#include <cstdint>

namespace larder::protocol {

inline constexpr size_t kKeyBytesMax = 250;

// A line shorter than this, line end included, is malformed whatever it says.
inline constexpr size_t kLineBytesMin = 4;

// An unfinished line may grow to this before the stream counts as hopeless.
inline constexpr size_t kLineBytesMax = 2048;

// A `get` with many keys may grow beyond that. memcached has no bound here; ours is far above
// what clients send and keeps one connection from taking all memory.
inline constexpr size_t kLongLineBytesMax = 16 * 1024 * 1024;

// An unfinished long line is recognised behind this many spaces.
inline constexpr size_t kLongLineIndentMax = 100;

// Words of a line that are looked at. `noreply` beyond them is not seen.
inline constexpr size_t kTokensMax = 23;
inline constexpr size_t kTokenScanBytesMax = 65534;

// Words of a meta command's line, the command and its key included.
inline constexpr size_t kMetaWordsMax = 20;

// The token of O, with its letter.
inline constexpr size_t kOpaqueBytesMax = 32;

// A key in base64 is limited by its spelling.
inline constexpr size_t kBinaryKeyBytesMax = kKeyBytesMax / 4 * 3;

// The largest length a storage command may announce: with its line end it still fits an int32.
inline constexpr uint32_t kValueBytesMax = 2147483645;

// What follows every value.
inline constexpr size_t kValueEndBytes = 2;

}  // namespace larder::protocol
