// Logs, curves, plots, progress lines and the folder of a run.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "runtime/train/axis.h"
#include "runtime/train/json_text.h"
#include "runtime/train/loss_curve.h"
#include "runtime/train/loss_plot.h"
#include "runtime/train/progress.h"
#include "runtime/train/run_files.h"
#include "tests/train/temporary_folder.h"
#include "tests/train/well_formed.h"

using namespace talweg;
using namespace talweg::train;
using namespace talweg::train::testing;

TEST_CASE("JSON text is one line of valid JSON whatever is in it") {
  const Json entry = {{"name", "a\"\n\x01\xFF<"},
                      {"loss", json_number(std::nan(""))},
                      {"high", json_number(-INFINITY)},
                      {"none", json_number(std::nullopt)}};
  const std::string text = json_text(entry);
  CHECK(text.find('\n') == std::string::npos);
  const Json back = Json::parse(text);
  CHECK(back["loss"] == "nan");
  CHECK(back["high"] == "-inf");
  CHECK(back["none"].is_null());
  CHECK(Json::parse(json_text(json_number(0.1))).get<double>() == 0.1);
}

TEST_CASE("a curve keeps bounded points that average all losses") {
  LossCurve curve;
  constexpr std::uint64_t kSteps = 100000;
  for (std::uint64_t step = 1; step <= kSteps; ++step) curve.add(step, static_cast<double>(step));
  const auto points = curve.points();
  CHECK(points.size() <= LossCurve::kMaxPoints);
  CHECK(points.size() > LossCurve::kMaxPoints / 4);
  CHECK(points.back().step == kSteps);
  for (std::size_t i = 1; i < points.size(); ++i) REQUIRE(points[i].step > points[i - 1].step);
  CHECK(points[0].loss == (1 + points[0].step) / 2);
}

TEST_CASE("axes have round ticks that cover the range") {
  for (const auto& [low, high] :
       {std::pair{0.0, 7.3}, {-2e-5, 1e-5}, {1e6, 1.2e6}, {0.0, 1e300}, {3.0, 3.0}}) {
    const Axis axis = linear_axis(low, high, 5);
    CHECK((axis.low <= low && axis.high >= high));
    CHECK((axis.ticks.size() >= 3 && axis.ticks.size() <= 12));
  }
  for (const auto& [low, high] : {std::pair{1e-3, 1.0}, {1e-300, 1e300}, {0.02, 9.0}, {1.0, 1.0}}) {
    const Axis axis = log_axis(low, high);
    CHECK((axis.low <= low && axis.high >= high));
    CHECK((axis.ticks.size() >= 2 && axis.ticks.size() <= 12));
    CHECK(axis.place(axis.low) == 0);
  }
}

TEST_CASE("plots are well-formed SVG without scripts") {
  LossPlot plot{"a <b> & \"c\"\x01", {{1, 5}, {2, std::nan("")}, {3, 1e-4}}, {{3, 2}}};
  const std::string svg = loss_plot_svg(plot);
  CHECK(is_well_formed_xml(svg));
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("log scale") != std::string::npos);
  CHECK(svg.find("validation</text>") != std::string::npos);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  plot.validation.clear();
  plot.training = {{1, 5}, {2, 4}};
  const std::string plain = loss_plot_svg(plot);
  CHECK(plain.find("log scale") == std::string::npos);
  CHECK(plain.find("validation</text>") == std::string::npos);
  CHECK(is_well_formed_xml(loss_plot_svg({"", {}, {}})));
  CHECK(is_well_formed_xml(loss_plot_svg({"", {{1, 0}, {2, 1e300}}, {}})));
  CHECK(is_well_formed_xml(loss_plot_svg({"", {{1, -1e308}, {2, 1e308}}, {}})));
  CHECK(!is_well_formed_xml("<svg><g></svg>"));
}

namespace {

std::vector<std::string> progress_of(bool is_terminal, unsigned columns, std::uint64_t epochs) {
  std::vector<std::string> written;
  Hooks hooks;
  hooks.write_progress = [&](std::string_view text) { written.emplace_back(text); };
  hooks.progress_is_terminal = is_terminal;
  hooks.terminal_columns = columns;
  Progress progress(hooks, epochs, epochs);
  for (std::uint64_t i = 1; i <= epochs; ++i) {
    progress.on_step({i, i, 1, 0.5});
    progress.on_epoch({i, i, 0.5, 0.25, 0.75, false});
  }
  progress.finish();
  return written;
}

}  // namespace

TEST_CASE("off a terminal, progress is a few whole lines") {
  const auto lines = progress_of(false, 80, 1000);
  CHECK((lines.size() >= 10 && lines.size() <= 12));
  for (const std::string& line : lines) {
    CHECK(line.back() == '\n');
    CHECK(line.find_first_of("\r\x1b") == std::string::npos);
  }
  CHECK_THAT(lines.back(), Catch::StartsWith("epoch 1000/1000"));
  CHECK(progress_of(false, 80, 3).size() == 3);
}

TEST_CASE("on a terminal, progress is one line that fits") {
  for (const unsigned columns : {0U, 1U, 20U, 60U, 200U}) {
    const auto written = progress_of(true, columns, 50);
    REQUIRE(written.size() >= 2);
    CHECK(written.back() == "\n");
    for (std::size_t i = 0; i + 1 < written.size(); ++i) {
      const std::string& line = written[i];
      REQUIRE(line.front() == '\r');
      CHECK(line.size() <= 1 + columns + 3);
      CHECK(line.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("nothing is written without a place to write to") {
  Hooks hooks;
  Progress progress(hooks, 1, 1);
  progress.on_step({1, 1, 1, 0.5});
  progress.on_epoch({1, 1, 0.5, {}, {}, false});
  progress.finish();
}

TEST_CASE("an earlier run is not overwritten unless asked") {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "a" / "run").string();
  {
    auto files = RunFiles::open(out, false);
    REQUIRE(files.ok());
    files->log({{"event", "x"}});
    REQUIRE(files->write(kSummaryFile, "{}").ok());
    REQUIRE(files->close_log().ok());
    CHECK(files->written().size() == 2);
  }
  CHECK(check_run_folder(out, false).failure().kind == support::FailureKind::Usage);
  CHECK(!RunFiles::open(out, false).ok());
  CHECK(std::filesystem::exists(std::filesystem::path(out) / kSummaryFile));
  REQUIRE(RunFiles::open(out, true).ok());
  CHECK(!std::filesystem::exists(std::filesystem::path(out) / kSummaryFile));
  std::ofstream(folder.path() / "file") << "x";
  CHECK_THAT(check_run_folder((folder.path() / "file").string(), true).failure().message,
             Catch::Contains("is a file"));
  CHECK(!RunFiles::open((folder.path() / "file" / "below").string(), false).ok());
}

TEST_CASE("no folder: nothing is written") {
  auto files = RunFiles::open("", false);
  REQUIRE(files.ok());
  files->log({{"event", "x"}});
  CHECK(files->write(kSummaryFile, "{}").ok());
  CHECK(files->close_log().ok());
  CHECK(files->written().empty());
}
