#include "dpkgdb/triggers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::dpkgdb {
namespace {

constexpr std::string_view kNoAwait = "/noawait";

std::string trigger_path(std::string_view name) { return fmt::format("{}/triggers/{}", kAdminDirectory, name); }

bool is_file_trigger(std::string_view trigger) noexcept { return !trigger.empty() && trigger[0] == '/'; }

TriggerInterest parse_interest(std::string_view text) {
  bool is_await = !(text.size() > kNoAwait.size() && text.substr(text.size() - kNoAwait.size()) == kNoAwait);
  if (!is_await) text.remove_suffix(kNoAwait.size());
  return {std::string(text), is_await};
}

std::string interest_text(const TriggerInterest &interest) {
  return interest.package + std::string(interest.is_await ? "" : kNoAwait);
}

}  // namespace

std::vector<TriggerDirective> parse_trigger_directives(std::string_view text, std::string_view package) {
  std::vector<TriggerDirective> out;
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> words = base::split_words(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    TriggerDirective directive;
    std::string_view verb = words[0];
    directive.is_interest = verb.substr(0, 8) == "interest";
    if (!directive.is_interest && verb.substr(0, 8) != "activate") verb = "?";
    std::string_view suffix = verb.size() >= 8 ? verb.substr(8) : "?";
    if (words.size() != 2 || (suffix != "" && suffix != "-await" && suffix != "-noawait")) {
      throw Error(ErrorKind::package, fmt::format("'{}' is no trigger directive", base::trim(line)))
          .detail("from", fmt::format("triggers file of {}", package));
    }
    directive.is_await = suffix != "-noawait";
    directive.trigger = std::string(words[1]);
    out.push_back(std::move(directive));
  }
  return out;
}

Triggers::Triggers(const base::RootDirectory &root) : root_(&root) { reload(); }

void Triggers::reload() {
  file_interests_.clear();
  std::string text = root_->try_read(trigger_path("File")).value_or("");
  for (std::string_view line : base::split(text, '\n')) {
    std::size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos) continue;
    file_interests_.emplace_back(line.substr(0, blank), parse_interest(line.substr(blank + 1)));
  }
}

void Triggers::ensure_files() {
  root_->make_directories(trigger_path(""));
  if (!root_->exists(trigger_path("Lock"))) root_->write(trigger_path("Lock"), "", 0600);
  if (!root_->exists(trigger_path("Unincorp"))) root_->write(trigger_path("Unincorp"), "");
}

void Triggers::add_interest(const std::string &trigger, const std::string &package, bool is_await) {
  TriggerInterest interest{package, is_await};
  if (is_file_trigger(trigger)) {
    auto same = [&](const auto &known) { return known.first == trigger && known.second.package == package; };
    auto known = std::find_if(file_interests_.begin(), file_interests_.end(), same);
    if (known == file_interests_.end()) {
      file_interests_.emplace_back(trigger, interest);
    } else {
      known->second = interest;
    }
    write_file_interests();
    return;
  }
  std::vector<TriggerInterest> all = interested(trigger);
  std::erase_if(all, [&](const TriggerInterest &known) { return known.package == package; });
  all.push_back(interest);
  std::string text;
  for (const TriggerInterest &each : all) text += interest_text(each) + "\n";
  root_->write(trigger_path(trigger), text);
}

void Triggers::write_file_interests() const {
  std::string text;
  for (const auto &[path, interest] : file_interests_) text += fmt::format("{} {}\n", path, interest_text(interest));
  root_->write(trigger_path("File"), text);
}

std::vector<TriggerInterest> Triggers::interested(const std::string &trigger) const {
  std::vector<TriggerInterest> out;
  if (is_file_trigger(trigger)) {
    // dpkg walks those of one path from the latest to the first
    for (auto known = file_interests_.rbegin(); known != file_interests_.rend(); ++known) {
      if (known->first == trigger) out.push_back(known->second);
    }
    return out;
  }
  std::string text = root_->try_read(trigger_path(trigger)).value_or("");
  for (std::string_view word : base::split_words(text)) out.push_back(parse_interest(word));
  return out;
}

std::vector<TriggerActivation> Triggers::take_activations() {
  std::string text = root_->try_read(trigger_path("Unincorp")).value_or("");
  if (text.empty()) return {};
  std::vector<TriggerActivation> out;
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> words = base::split_words(line);
    if (words.empty()) continue;
    TriggerActivation activation;
    activation.trigger = std::string(words[0]);
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] != "-") activation.awaiting.emplace_back(words[i]);
    }
    out.push_back(std::move(activation));
  }
  root_->write(trigger_path("Unincorp"), "");
  return out;
}

}  // namespace debroot::dpkgdb
