// Initial values that reduce: over which tensors, when, and the same bits on every target.
#include <catch2/catch.hpp>

#include "tests/codegen/lined_run.h"
#include "tests/codegen/view_model.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

/// What a step does with the states of `Starts` and `Assigned`.
constexpr const char* kUse = R"(
    s = 0.5 * s + 1
    longest = 0.5 * longest
    g = 0.5 * g + 1
    d = 0.5 * d + 1
    n = n - lr
    x = 0.5 * x + grad
    y = 0.5 * y + grad
    z = 0.5 * z + grad
    w = w - 1
    plain = plain + half
    half = 0.5 * half
    let lines = if rank >= 2 then {
      q = 0.5 * q
      r = 0.5 * r
      c = 0.5 * c + 1
      even = 0.5 * even
      grad * (r + c + q + even)
    } else 0
    update = lr * (x + y + z + w + lines) / (1 + s + longest + g + d + n)
  }
}
)";

const std::string kRules = std::string(R"(
fn rms(x) = sqrt(mean(x^2) per tensor)

/// Every rate, in tensors of every rank.
rule Starts {
  hyper lr = 0.125 in [0, inf)
  matrix (last two)
  state model s = sum(param * param) per model
  state model longest = max(norm(param) per tensor) per model
  state group g = mean(param) per group + lr
  state tensor d = norm(param) per tensor
  state tensor n = size / 2
  state matrix q = norm(param) per matrix
  state row r = mean(param) per row
  state col c = max(param) per col
  state row even = lr * rank
  state x = param / (0.01 + rms(param))
  state y = param / (0.01 + norm(param) per model)
  state z = if rank >= 2 then param * mean(param) per row - max(norm(param) per row) per matrix else lr
  state w = norm(param) per group
  state plain = param
  state half = 0.5 * param
  step {
    skip if calls == 2
)") + kUse + R"(
/// The same, but as a first step assigns them.
rule Assigned {
  hyper lr = 0.125 in [0, inf)
  matrix (last two)
  state model first = 1
  state tensor begins = 1
  state model s
  state model longest
  state group g
  state tensor d
  state tensor n
  state matrix q
  state row r
  state col c
  state row even
  state x
  state y
  state z
  state w
  state plain
  state half
  step {
    skip if calls == 2
    let squares = sum(param * param) per model
    let most = max(norm(param) per tensor) per model
    let in_group = mean(param) per group
    let of_model = norm(param) per model
    let of_group = norm(param) per group
    if first == 1 {
      s = squares
      longest = most
      g = in_group + lr
    }
    if begins == 1 {
      d = norm(param) per tensor
      n = size / 2
      x = param / (0.01 + rms(param))
      y = param / (0.01 + of_model)
      z = lr
      w = of_group
      plain = param
      half = 0.5 * param
    }
    if rank >= 2 {
      if begins == 1 {
        q = norm(param) per matrix
        r = mean(param) per row
        c = max(param) per col
        even = lr * rank
        z = param * mean(param) per row - max(norm(param) per row) per matrix
      }
    }
    first = 0
    begins = 0
)" + kUse + R"(
/// For tensors that have rows; some of them go another way.
rule Matrices {
  hyper lr = 0.125 in [0, inf)
  require rank >= 2
  state model total = sum(norm(param) per row) per model
  state tensor spread = max(sum(param) per col) per tensor
  state x = param / (0.01 + norm(param) per col)
  step {
    total = 0.5 * total
    spread = 0.5 * spread
    x = 0.5 * x + grad
    update = lr * x * spread / (1 + total)
  }
}
rule Arms {
  when rank < 2:  SGD(lr = 0.1)
  when size < 50: Matrices
  otherwise:      SGD(lr = 0.1) | Matrices
}

rule Shown {
  hyper lr = 0.5 in [0, inf)
  hyper low = 0 in [0, 8)
  state model total = sum(param) per model
  state tensor own = sum(param) per tensor
  state x = param / sum(param) per model
  step {
    total += 1
    own += 1
    x += 1
    update = lr * grad + 0 * (x + own + total)
  }
  view share = x + 0
  view both = param * 0 + own + total
}
rule Late {
  hyper lr = 0.5 in [0, inf)
  state late = param / sum(param) per model
  state other = sum(param) per tensor
  state model total = sum(param) per model
  state model unseen = 2 * max(param) per model
  step {
    late += 1
    total += 1
    skip if calls == 1
    other += 1
    unseen += 1
    update = lr * grad + 0 * (late + other + total + unseen)
  }
}
rule Waits {
  state x = param / sum(param) per model
  step {
    let origin = param
    param += grad
    regrad
    param = origin
    x += grad
    update = 0 * x
  }
}
rule Bound {
  hyper limit = 1 in [0, inf)
  pipeline Shown(low = limit)
}
)";

const std::vector<Shape> kShapes = {
    {3, 5},    {17}, {2, 4, 70}, {0, 4},      {140, TALWEG_CHUNK_ELEMENTS / 64},
    {1, 2100}, {},   {33, 1},    {2, 2, 3, 9}};
const std::vector<Shape> kMatrices = {{3, 5}, {70, 300}, {9, 9}, {17}, {2, 4}};

/// Tensors that have no gradient at first begin later.
std::vector<LinedTensor> tensors_of(const std::vector<Shape>& shapes) {
  std::vector<LinedTensor> tensors = lined_tensors(shapes);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    tensors[i].absent_in_step = i % 3 == 1 ? 1 : i % 5 == 4 ? 3 : 0;
  return tensors;
}

/// What there is before a step, and after each of four calls.
template <class T>
std::vector<Outcome> history(const std::shared_ptr<driver::Program>& program,
                             const std::vector<Shape>& shapes, std::uint32_t threads,
                             Numbers numbers) {
  LinedRun<T> run(program, tensors_of(shapes), threads, numbers, 3);
  std::vector<Outcome> all{run.everything()};
  for (int call = 0; call < 4; ++call) {
    run.step();
    all.push_back(run.everything());
  }
  return all;
}

template <class T>
void check_targets(const std::string& rule, const std::vector<Shape>& shapes, Numbers numbers) {
  const ir::Graph graph = graph_of_rule(rule, kRules);
  const auto expected =
      history<T>(driver::make_interpreter(graph, kComputes<T>), shapes, 1, numbers);
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph, kComputes<T>, isa);
    for (const std::uint32_t threads : {1u, 3u, 8u}) {
      const auto actual = history<T>(program, shapes, threads, numbers);
      for (std::size_t call = 0; call < expected.size(); ++call) {
        INFO(rule << " on " << isa << ", " << threads << " threads, after call " << call);
        REQUIRE(first_difference(expected[call], actual[call]).empty());
      }
    }
  }
}

}  // namespace

TEST_CASE("initial values that reduce have the same bits on every target") {
  check_targets<float>("m.Starts", kShapes, Numbers::Hard);
  check_targets<double>("m.Starts", kShapes, Numbers::Plain);
  check_targets<float>("m.Arms", kMatrices, Numbers::Plain);
  check_targets<double>("m.Arms", kMatrices, Numbers::Hard);
}

TEST_CASE("an initial value is what its expression is where the step begins") {
  const auto program = [](const char* rule) {
    return driver::make_interpreter(graph_of_rule(rule, kRules), ComputeType::F32);
  };
  LinedRun<float> starts(program("m.Starts"), tensors_of(kShapes), 1, Numbers::Plain, 3);
  LinedRun<float> assigned(program("m.Assigned"), tensors_of(kShapes), 1, Numbers::Plain, 3);
  std::size_t compared = 0;
  for (int call = 1; call <= 4; ++call) {
    starts.step();
    assigned.step();
    CHECK(starts.params == assigned.params);
    for (const optimizer::PersistentEntry& entry : assigned.optimizer->persistent()) {
      if (entry.name.starts_with("first") || entry.name.starts_with("begins")) continue;
      INFO(entry.name << " after call " << call);
      const Outcome expected = assigned.persistent(entry.name);
      REQUIRE(first_difference(expected, starts.persistent(entry.name)).empty());
      ++compared;
    }
  }
  CHECK(compared > 4 * kShapes.size() * 7);
}

TEST_CASE("a reduction in an initial value is over the tensors that take part in the call") {
  const ir::Graph graph = graph_of_rule("m.Shown", kRules);
  for (const std::string& isa : {std::string(), isas_here().back()}) {
    const auto program = isa.empty() ? driver::make_interpreter(graph, ComputeType::F32)
                                     : compile_for(graph, ComputeType::F32, isa);
    Model<float> model(std::vector<std::size_t>{2, 1, 1});
    model.params = {{1, 2}, {5}, {8}};
    model.grads = {{0, 0}, {0}, {0}};
    auto optimizer = model.optimizer(program, 2);
    const auto step = [&](std::vector<std::size_t> present) {
      std::vector<const void*> gradients(3);
      for (const std::size_t i : present) gradients[i] = model.grads[i].data();
      REQUIRE(optimizer.step(gradients));
    };
    const auto x = [&](std::uint32_t tensor) {
      return *static_cast<const float*>(*optimizer.state("x", tensor));
    };
    // Until then, over all tensors: no gradient says who takes part.
    CHECK(*optimizer.scalar("total") == 16);
    CHECK(*optimizer.tensor_scalar("own", 2) == 8);
    CHECK(model.read(optimizer, "share")[1][0] == 5.0F / 16);
    CHECK(model.read(optimizer, "both")[0][1] == 19);
    CHECK(x(1) == 0);
    REQUIRE(optimizer.swap_in("share"));
    CHECK_FALSE(optimizer.scalar("total").ok());
    CHECK_FALSE(optimizer.tensor_scalar("own", 0).ok());
    REQUIRE(optimizer.swap_out());
    step({0, 1});
    CHECK(*optimizer.scalar("total") == 9);
    CHECK(*optimizer.tensor_scalar("own", 0) == 4);
    CHECK(*optimizer.tensor_scalar("own", 2) == 8);
    CHECK(x(1) == 5.0F / 8 + 1);
    CHECK(x(2) == 0);
    // The second has begun, and takes part in what the third begins with.
    model.params[1] = {24};
    step({1, 2});
    CHECK(*optimizer.scalar("total") == 10);
    CHECK(*optimizer.tensor_scalar("own", 2) == 9);
    CHECK(x(2) == 8.0F / 32 + 1);
    CHECK(x(1) == 5.0F / 8 + 2);
    REQUIRE(optimizer.reset());
    step({2});
    CHECK(*optimizer.scalar("total") == 9);
    CHECK(x(2) == 2);
    CHECK(x(1) == 0);
  }
}

TEST_CASE("a refused step begins nothing that reduces") {
  const ir::Graph graph = graph_of_rule("m.Bound", kRules);
  for (const std::string& isa : {std::string(), isas_here().back()}) {
    const auto program = isa.empty() ? driver::make_interpreter(graph, ComputeType::F64)
                                     : compile_for(graph, ComputeType::F64, isa);
    Model<double> model(std::vector<std::size_t>{2, 1});
    model.params = {{1, 2}, {5}};
    model.grads = {{0, 0}, {0}};
    auto optimizer = model.optimizer(program, 1);
    REQUIRE(optimizer.set_hyper("limit", 9));
    const void* const gradients[] = {model.grads[0].data(), model.grads[1].data()};
    REQUIRE_FALSE(optimizer.step(gradients));
    CHECK(*static_cast<const double*>(*optimizer.state("x", 1)) == 0);
    model.params[1][0] = 13;
    REQUIRE(optimizer.set_hyper("limit", 1));
    REQUIRE(optimizer.step(gradients));
    CHECK(*optimizer.scalar("total") == 17);
    CHECK(*static_cast<const double*>(*optimizer.state("x", 1)) == 13.0 / 16 + 1);
  }
}

TEST_CASE("a skipped call keeps what it assigned, made of what began in it") {
  const ir::Graph graph = graph_of_rule("m.Late", kRules);
  for (const std::string& isa : {std::string(), isas_here().back()}) {
    const auto program = isa.empty() ? driver::make_interpreter(graph, ComputeType::F64)
                                     : compile_for(graph, ComputeType::F64, isa);
    Model<double> model(std::vector<std::size_t>{2, 1});
    model.params = {{1, 2}, {5}};
    model.grads = {{0, 0}, {0}};
    auto optimizer = model.optimizer(program, 1);
    const void* const gradients[] = {model.grads[0].data(), model.grads[1].data()};
    const auto at = [&](const char* state) {
      return *static_cast<const double*>(*optimizer.state(state, 1));
    };
    REQUIRE(optimizer.step(gradients));
    CHECK(at("late") == 5.0 / 8 + 1);
    CHECK(at("other") == 0);
    CHECK(*optimizer.scalar("total") == 9);
    CHECK(*optimizer.scalar("unseen") == 10);
    model.params[1][0] = 13;
    CHECK(*optimizer.scalar("unseen") == 26);
    REQUIRE(optimizer.step(gradients));
    CHECK(at("late") == 5.0 / 8 + 2);
    CHECK(at("other") == 14);
    CHECK(*optimizer.scalar("total") == 10);
    CHECK(*optimizer.scalar("unseen") == 27);
  }
}

TEST_CASE("where a step waits, states have begun with what it found") {
  const ir::Graph graph = graph_of_rule("m.Waits", kRules);
  for (const std::string& isa : {std::string(), isas_here().back()}) {
    const auto program = isa.empty() ? driver::make_interpreter(graph, ComputeType::F64)
                                     : compile_for(graph, ComputeType::F64, isa);
    Model<double> model(std::vector<std::size_t>{2, 1});
    model.params = {{1, 2}, {5}};
    model.grads = {{1, 1}, {1}};
    auto optimizer = model.optimizer(program, 1);
    const void* const gradients[] = {model.grads[0].data(), model.grads[1].data()};
    const auto x = [&] { return *static_cast<const double*>(*optimizer.state("x", 1)); };
    REQUIRE(*optimizer.step(gradients) == optimizer::StepOutcome::Regrad);
    CHECK(model.params[1][0] == 6);
    optimizer.abandon();
    CHECK(x() == 0);
    model.params[1][0] = 13;
    REQUIRE(*optimizer.step(gradients) == optimizer::StepOutcome::Regrad);
    REQUIRE(*optimizer.step(gradients) == optimizer::StepOutcome::Completed);
    CHECK(model.params[1][0] == 13);
    CHECK(x() == 13.0 / 16 + 1);
  }
}

}  // namespace talweg::tests
