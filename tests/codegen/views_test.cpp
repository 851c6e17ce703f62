// Views of compiled rules, through the optimizer: every target and any number of threads reads the
// interpreter's bits, swapping is exact, and what a view means before the first step.
#include "tests/codegen/view_model.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

constexpr const char* kRules = R"(
rule Debiased {
  hyper decay = 0.9 in [0, 1)
  state average
  state origin = param
  hyper share = 0.75 in [0, 1]
  state first = 3 * share
  state group weight = share
  after {
    average = decay * average + (1 - decay) * param
    weight *= decay
  }
  view debiased = if t == 0 then param * first else average / (1 - decay^t) + origin * weight
  view rate = decay
}
rule Scheduled {
  hyper slow = 3 in [1, inf)
  pipeline SGD(lr = 1 / (slow + t)) | Debiased(decay = 1 - 1 / (slow + t)) | Debiased
}
rule Kept = SGD(lr = 0.1) | Ema(decay = 0.5)
rule Arms {
  when named("w0"): Kept
  when size > 20:   SGD(lr = 0.2) | Debiased | Ema
  otherwise:        SGD
}
)";

const std::vector<std::size_t> kSizes = {1, 17, TALWEG_CHUNK_ELEMENTS * 3 + 5, 0, 33, 16};

template <class T>
void require_same_views(const std::string& rule) {
  require_same_views(Model<T>(kSizes), graph_of_rule(rule, kRules));
}

}  // namespace

TEMPLATE_TEST_CASE("every target and any number of threads reads the same views", "", float,
                   double) {
  require_same_views<TestType>("m.Scheduled");
  require_same_views<TestType>("AdamW | Ema");
  require_same_views<TestType>("m.Arms");
  require_same_views<TestType>("AccumulateGradient(2) | SGD | m.Debiased");
}

TEST_CASE("stages with views of one name have them under their labels") {
  const auto program = driver::make_interpreter(
      graph_of_rule("SGD(lr = 0.1) | Ema | late = Ema(decay = 0.5)"), ComputeType::F32);
  REQUIRE(program->image().view_count == 2);
  CHECK(std::string(program->image().views[0].name) == "ema.averaged");
  CHECK(std::string(program->image().views[1].name) == "late.averaged");
  const auto alone = driver::make_interpreter(graph_of_rule("AdamW | Ema"), ComputeType::F32);
  CHECK(std::string(alone->image().views[0].name) == "averaged");
  CHECK(std::string(alone->image().views[0].doc) == "The average: what to evaluate with.");
}

TEST_CASE("the library's views begin at param, bit for bit, and stay there without gradients") {
  int views = 0;
  for (const std::string& rule : library_rules()) {
    const ir::Graph graph = graph_of_rule(rule);
    if (graph.views.empty()) continue;
    INFO(rule);
    Model<float> model({67, 5, 40});
    model.make_finite();
    auto optimizer = model.optimizer(compile_for(graph, ComputeType::F32, isas_here().back()), 1);
    for (const std::string& view : optimizer.views()) {
      ++views;
      CHECK(same_bits(model.read(optimizer, view), model.params));
    }
    const auto last = model.params.back();
    for (int step = 0; step < 3; ++step) REQUIRE(model.step(optimizer));
    for (const std::string& view : optimizer.views())
      CHECK(same_bits<float>({model.read(optimizer, view).back()}, {last}));
  }
  CHECK(views >= 7);
}

TEST_CASE("the library's views are the states that they name") {
  const std::pair<const char*, const char*> rows[] = {{"AdamW | Ema", "average"},
                                                      {"ASGD(start = 0)", "average"},
                                                      {"ScheduleFreeSGD", "x"},
                                                      {"ScheduleFreeAdamW", "x"},
                                                      {"AdamW | Lookahead(k = 2)", "slow"}};
  for (const auto& [rule, state] : rows) {
    INFO(rule);
    Model<double> model({50, 3});
    model.make_finite();
    auto optimizer =
        model.optimizer(compile_for(graph_of_rule(rule), ComputeType::F64, isas_here().back()), 1);
    for (int step = 0; step < 3; ++step) REQUIRE(model.step(optimizer));
    const auto values = model.read(optimizer, optimizer.views().front());
    const auto kept = optimizer.state(state, 0);
    REQUIRE(kept);
    CHECK(std::memcmp(values[0].data(), *kept, 50 * sizeof(double)) == 0);
    CHECK_FALSE(same_bits(values, model.params));
  }
}

TEST_CASE("on tensors of another arm a view is param") {
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph_of_rule("m.Arms", kRules), ComputeType::F32, isa);
    Model<float> model({5, 33, 9, 40});
    auto optimizer = model.optimizer(program, 1);
    model.make_finite();
    for (int step = 0; step < 2; ++step) REQUIRE(model.step(optimizer));
    CHECK(optimizer.views() ==
          std::vector<std::string>{"ema.averaged", "debiased", "rate", "ema_2.averaged"});
    const auto first = model.read(optimizer, "ema.averaged");
    CHECK_FALSE(same_bits<float>({first[0]}, {model.params[0]}));
    for (const std::size_t other : {1u, 2u, 3u})
      CHECK(same_bits<float>({first[other]}, {model.params[other]}));
    const auto rate = model.read(optimizer, "rate");
    CHECK(rate[1] == std::vector<float>(33, 0.9F));
    for (const std::size_t other : {0u, 2u})
      CHECK(same_bits<float>({rate[other]}, {model.params[other]}));
  }
}

TEST_CASE("held calls are no steps to a view") {
  const auto program =
      compile_for(graph_of_rule("AccumulateGradient(2) | SGD | m.Debiased", kRules),
                  ComputeType::F64, isas_here().back());
  Model<double> model({20, 3});
  model.make_finite();
  auto optimizer = model.optimizer(program, 1);
  auto expected = model.params;  // t is 0: param * 3 * share
  for (auto& values : expected)
    for (double& value : values) value *= 2.25;
  CHECK(same_bits(model.read(optimizer, "debiased"), expected));
  REQUIRE(model.step(optimizer));
  CHECK(optimizer.steps_completed() == 0);
  CHECK(same_bits(model.read(optimizer, "debiased"), expected));
  REQUIRE(model.step(optimizer));
  CHECK(optimizer.steps_completed() == 1);
  CHECK_FALSE(same_bits<double>({model.read(optimizer, "debiased")[0]}, {expected[0]}));
}

}  // namespace talweg::tests
