#include "cli/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/text_table.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string compression_word(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "none";
    case Compression::gzip:
      return "gzip";
    case Compression::xz:
      return "xz";
    case Compression::zstd:
      return "zstd";
    case Compression::bzip2:
      return "bzip2";
    case Compression::compress:
      return "compress";
    case Compression::lz4:
      return "lz4";
    case Compression::lzip:
      return "lzip";
    case Compression::lzma:
      return "lzma";
    case Compression::lzop:
      return "lzop";
  }
  return "none";
}

}  // namespace

std::string plan_table(const BuildPlan &plan, const BuildReport &report) {
  constexpr std::size_t kSizeColumn = 3;
  std::vector<TextRow> rows = {{"PACKAGE", "VERSION", "ARCH", "SIZE", "ARCHIVE", "REASON"}};
  std::uint64_t total = 0;
  for (const ReportedPackage &package : report.packages) {
    rows.push_back({package.id.name, package.id.version, package.id.architecture, base::human_bytes(package.size_bytes),
                    package.archive, package.reason});
    total += package.size_bytes;
  }
  return printable(text_table(rows, {kSizeColumn})) + fmt::format("\n{} {} ({}): {} packages, {}\n", plan.suite,
                                                                  plan.architecture, plan::variant_name(plan.variant),
                                                                  report.packages.size(), base::human_bytes(total));
}

std::string plan_json(const BuildPlan &plan, const BuildReport &report) {
  Json json;
  json["suite"] = plan.suite;
  json["architecture"] = plan.architecture;
  json["foreign_architectures"] = plan.foreign_architectures;
  json["variant"] = plan::variant_name(plan.variant);
  json["source_date_epoch"] = report.source_date_epoch;
  json["plain"] = plan.is_plain;
  json["hostname"] = plan.hostname ? Json(*plan.hostname) : Json(nullptr);
  json["network"] = plan::network_name(plan.network);
  json["outputs"] = Json::array();
  for (const Output &output : plan.outputs) {
    json["outputs"].push_back({{"path", output.path},
                               {"format", format_name(output.format)},
                               {"compression", compression_word(output.compression)}});
  }
  json["releases"] = Json::array();
  for (const ReportedRelease &release : report.releases) {
    json["releases"].push_back({{"url", release.url},
                                {"suite", release.suite},
                                {"codename", release.codename},
                                {"date", release.date},
                                {"sha256", release.sha256}});
  }
  json["packages"] = Json::array();
  for (const ReportedPackage &package : report.packages) {
    json["packages"].push_back({{"name", package.id.name},
                                {"version", package.id.version},
                                {"architecture", package.id.architecture},
                                {"automatic", package.is_automatic},
                                {"size", package.size_bytes},
                                {"sha256", package.sha256},
                                {"pool_path", package.pool_path},
                                {"archive", package.archive},
                                {"reason", package.reason}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace debroot::cli
