#include "server/settings_report.h"

#include <fmt/format.h>

#include <string>

namespace larder::server {
namespace {

std::string OrNull(const std::string& text) { return text.empty() ? "NULL" : text; }

std::string Octal(uint32_t mode) { return fmt::format("{:o}", mode); }

std::string Thousandths(double value) { return fmt::format("{:.3f}", value); }

bool HasSeveral(const std::string& listen_list) {
  return listen_list.find(',') != std::string::npos;
}

std::string Listen(const Settings& settings) {
  if (!settings.listen_list.empty()) return settings.listen_list;
  return settings.unix_path.empty() ? std::string(kDefaultListenList) : "NULL";
}

// How each type of value is written.
std::string Text(const char* value) { return value; }
std::string Text(const std::string& value) { return value; }
std::string Text(bool value) { return value ? "yes" : "no"; }
std::string Text(double value) { return fmt::format("{:.2f}", value); }
std::string Text(int32_t value) { return fmt::to_string(value); }
std::string Text(int64_t value) { return fmt::to_string(value); }
std::string Text(uint32_t value) { return fmt::to_string(value); }
std::string Text(uint64_t value) { return fmt::to_string(value); }

std::string Text(ProtocolChoice value) {
  if (value == ProtocolChoice::kAscii) return "ascii";
  return value == ProtocolChoice::kBinary ? "binary" : "auto-negotiate";
}

template <typename Value>
std::string Text(const Live<Value>& value) {
  return Text(value.Get());
}

}  // namespace

void ReportSettings(const Settings& settings, const LiveSettings& live, const ReportedState& state,
                    const std::function<void(std::string_view, std::string_view)>& emit) {
#define SETTING(key, value) emit(#key, Text(value));
#include "server/settings_report.def"
#undef SETTING
}

}  // namespace larder::server
