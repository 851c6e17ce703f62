// The library itself: every rule is clean, documented, and as large as it says; switches remove
// states; inputs that a step does not read may be missing.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>

#include "compiler/base/diagnostic_render.h"
#include "compiler/driver/compile.h"
#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"
#include "tests/optimizers.h"

namespace talweg {

namespace {

const std::filesystem::path kStdlib = TALWEG_SOURCE_DIR "/stdlib";

constexpr driver::Backend kBackends[] = {driver::Backend::Interpreter, driver::Backend::Cpu};

/// Rules of the library by name, with the file of each.
std::map<std::string, std::filesystem::path> library_rules() {
  std::map<std::string, std::filesystem::path> rules;
  for (const auto& entry : std::filesystem::directory_iterator(kStdlib)) {
    base::Sources sources;
    base::Diagnostics diagnostics;
    const auto text = support::read_file(entry.path());
    REQUIRE(text);
    const auto module =
        syntax::parse_module(sources.add(entry.path().string(), *text), sources, diagnostics);
    for (const std::string& rule : sema::declared_names(module).rules) rules[rule] = entry.path();
  }
  return rules;
}

/// A rule of the library; errors and warnings fail the test.
driver::FrontEnd analyzed(const std::string& rule) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules(sema::SearchPath{{}, kStdlib}, sources, diagnostics);
  auto front_end = driver::analyze_rule(modules, sources, diagnostics, rule);
  INFO(base::render_text(diagnostics, sources, false));
  REQUIRE(front_end);
  CHECK(diagnostics.all().empty());
  return std::move(*front_end);
}

std::shared_ptr<driver::Program> compiled(const std::string& rule, driver::Backend backend) {
  driver::CompileOptions options;
  options.backend = backend;
  options.compute = types::ComputeType::F64;
  options.use_cache = false;
  auto program = driver::compile(analyzed(rule).graph, options);
  REQUIRE(program);
  return *program;
}

/// An optimizer over one tensor of float64.
optimizer::Optimizer made(const std::shared_ptr<driver::Program>& program,
                          const std::vector<std::uint64_t>& shape, std::vector<double>& param) {
  return tests::make_optimizer(program->image(), {{"w", shape, param.data(), 0, {}}}, 1, 1,
                               program);
}

/// Bytes of a float32 parameter's states that the elements of a matrix have.
unsigned state_bytes(const std::string& rule) {
  const std::vector<std::uint64_t> shape{128, 129};
  std::vector<double> param(128 * 129);
  optimizer::Optimizer optimizer = made(compiled(rule, driver::Backend::Interpreter), shape, param);
  unsigned bytes = 0;
  for (const auto& entry : optimizer.persistent())
    if (entry.shape == shape) bytes += 4;
  return bytes;
}

/// One parameter tensor with an optimizer over it.
struct Run {
  std::vector<double> param{1, 2, 3, -4, 0.5};
  std::vector<double> gradient{0.5, -1, 2, 1, 0.25};
  optimizer::Optimizer optimizer;

  Run(const std::string& rule, driver::Backend backend)
      : optimizer(made(compiled(rule, backend), {5}, param)) {}

  support::Result<optimizer::StepOutcome> step(const optimizer::StepInputs& inputs = {}) {
    const void* const gradients[] = {gradient.data()};
    return optimizer.step(gradients, inputs);
  }
};

}  // namespace

TEST_CASE("every rule of the library is clean and has its documentation") {
  const auto rules = library_rules();
  CHECK(rules.size() >= 70);
  for (const auto& [name, file] : rules) {
    INFO(name);
    const driver::FrontEnd front_end = analyzed(name);
    const std::string& doc = front_end.rule.doc;
    CHECK(doc.find("State    ") != std::string::npos);
    CHECK(doc.find("    ") != std::string::npos);
    for (const auto& hyper : front_end.graph.hypers)
      CHECK(hyper.range.contains(hyper.default_value));
  }
}

TEST_CASE("the states of a rule are as large as its documentation says") {
  const std::regex sentence(R"(State    [^.]*?(\d+)( to \d+| or \d+)? bytes[\s]+a[\s]+parameter)");
  for (const auto& [name, file] : library_rules()) {
    INFO(name);
    const driver::FrontEnd front_end = analyzed(name);
    std::smatch match;
    const bool says = std::regex_search(front_end.rule.doc, match, sentence);
    CHECK(state_bytes(name) == (says ? std::stoul(match[1]) : 0));
  }
}

TEST_CASE("switches remove the states they do not need") {
  CHECK(state_bytes("SGD") == 0);
  CHECK(analyzed("SGD").graph.states.empty());
  CHECK(state_bytes("SGD(momentum = 0.9)") == 4);
  CHECK(state_bytes("RMSprop(centered = true)") == 8);
  CHECK(state_bytes("RMSprop(centered = true, momentum = 0.9)") == 12);
  CHECK(state_bytes("Adafactor") == 0);
  CHECK(state_bytes("Adafactor(beta1 = 0.9)") == 4);
  CHECK(state_bytes("AdafactorOptax(min_dim = 129)") == 4);  // the matrix is 128 by 129
}

TEST_CASE("a Hessian is needed only in the steps that are given one") {
  for (const driver::Backend backend : kBackends) {
    Run with("Sophia", backend), without("Sophia", backend);
    const std::vector<double> hessian{1, 2, 3, 4, 5};
    REQUIRE(with.step({{}, {{"hessian", {hessian.data()}}}}));
    REQUIRE(without.step());
    REQUIRE(with.step());
    const auto h = with.optimizer.state("h", 0), no_h = without.optimizer.state("h", 0);
    REQUIRE(h);
    REQUIRE(no_h);
    CHECK(static_cast<const double*>(*h)[4] == Approx(0.05));
    CHECK(static_cast<const double*>(*no_h)[4] == 0);
  }
}

TEST_CASE("a plateau counts only the steps that are given a loss") {
  for (const driver::Backend backend : kBackends) {
    const std::string rule =
        "plateau = ReduceOnPlateau(patience = 0) | GradientDescent(lr = plateau.scale)";
    Run run(rule, backend);
    REQUIRE(run.step());
    REQUIRE(run.step({{{"validation_loss", 1}}, {}}));
    REQUIRE(run.step({{{"validation_loss", 2}}, {}}));
    CHECK(*run.optimizer.scalar("scale") == 0.1);
    REQUIRE(run.step());
    CHECK(*run.optimizer.scalar("scale") == 0.1);
  }
}

TEST_CASE("a compound decay whose factor is not positive is refused before anything is written") {
  for (const driver::Backend backend : kBackends) {
    Run run("decay = CompoundDecay(factor = 1 - (t - 1) / 2) | GradientDescent(lr = decay.scale)",
            backend);
    REQUIRE(run.step());
    REQUIRE(run.step());
    const std::vector<double> before = run.param;
    const auto refused = run.step();
    REQUIRE(!refused);
    CHECK(refused.failure().message.find("factor") != std::string::npos);
    CHECK(run.param == before);
    CHECK(run.optimizer.steps_completed() == 2);
  }
}

}  // namespace talweg
