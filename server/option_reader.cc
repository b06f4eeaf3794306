#include "server/option_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace larder::server {
namespace {

constexpr int kManyWorkers = 64;

StartFailure BelongsOnTheCommandLine(const Option& option) {
  return {kExitUsage, fmt::format("\"{}\" belongs on the command line", option.name)};
}

}  // namespace

std::optional<StartFailure> OptionReader::Take(const Option& option, const char* text) {
  switch (option.role) {
    case OptionRole::kExtended:
      return TakeList(text == nullptr ? "" : text);
    case OptionRole::kAbsent:
      return StartFailure{kExitUsage,
                          fmt::format("This server is not built with {} support.", option.feature)};
    case OptionRole::kControl:
      if (source_ == Source::kFile) return BelongsOnTheCommandLine(option);
      return TakeSetting(option, text);
    case OptionRole::kSetting:
      return TakeSetting(option, text);
    case OptionRole::kAction:
      break;
  }
  return BelongsOnTheCommandLine(option);
}

std::optional<StartFailure> OptionReader::TakeSetting(const Option& option, const char* text) {
  if (text == nullptr && *option.missing != '\0') return StartFailure{kExitFailure, option.missing};
  if (text == nullptr && option.shape == ArgumentShape::kText) {
    return StartFailure{kExitFailure, fmt::format("Missing {} argument", option.name)};
  }
  if (given_here_.insert(&option).second) option.reset(&settings_);
  given_.insert(&option);
  std::string complaint = option.complaint;
  if (option.take(text, &settings_, &complaint)) return std::nullopt;
  return StartFailure{option.exit_code, std::move(complaint)};
}

void OptionReader::Deny(const Option& option) {
  given_.insert(&option);
  given_here_.insert(&option);
  option.deny(&settings_);
}

// As getsubopt splits it: a blank belongs to the name, and a comma at the very end is none.
std::optional<StartFailure> OptionReader::TakeList(std::string_view list) {
  while (!list.empty()) {
    const std::string word(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    const size_t equals = word.find('=');
    const Option* const option = FindSubOption(word.substr(0, equals));
    if (option == nullptr) {
      return StartFailure{kExitFailure, fmt::format("Illegal suboption \"{}\"", word)};
    }
    const char* const value = equals == std::string::npos ? nullptr : word.c_str() + equals + 1;
    if (auto failure = Take(*option, value)) return failure;
  }
  return std::nullopt;
}

void OptionReader::Finish() {
  if (WasGiven('U') && settings_.udp_port != 0 && !WasGiven('p')) {
    settings_.tcp_port = settings_.udp_port;
  }
  if (settings_.worker_count > kManyWorkers) {
    warnings_.emplace_back(
        "WARNING: more threads than the machine has cores make the server slower.");
  }
  if (settings_.has_resp_obj_mem_limit) {
    warnings_.emplace_back(
        "DEPRECATED: resp_obj_mem_limit no longer used. See read_buf_mem_limit,");
  }
}

}  // namespace larder::server
