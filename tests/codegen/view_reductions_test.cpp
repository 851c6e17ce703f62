// Reductions in views: every target and any number of threads reads the interpreter's bits; over
// which tensors they range; what they are, in numbers.
#include "tests/codegen/view_model.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

constexpr const char* kRules = R"(
fn rms(x) = sqrt(mean(x^2) per tensor)
rule Views {
  hyper share = 0.5 in [0, inf)
  state m = param * 2
  state late = share
  state tensor seen = share
  state group gain = share
  step {
    m = 0.9 * m + grad
    seen = norm(grad) per tensor
    gain += sum(seen) per group
    update = 0.1 * m
  }
  view unit = param / (0.001 + norm(param) per tensor)
  view even = param / (0.001 + rms(m - late))
  view centred = (m - mean(m) per model) / (1 + sqrt(mean((m - mean(m) per model)^2) per model))
  view grouped = param * (sum(size) per group) + max(seen) per group - gain
  view counted = if any(param > 2) per model then param - min(m) per group else param * t
  view shared = param * (mean(norm(param) per tensor) per model) + dot(param, m) per model
  view gains = param * (if all(m == m) per model then sum(gain * share) per model else 0)
}
rule Lines {
  hyper share = 0.25 in [0, inf)
  state m = 3 * param
  state tensor seen = share
  step {
    m = 0.5 * m + grad
    seen = norm(m) per tensor
    update = 0.1 * m
  }
  view rows_even = if rank >= 2 then param / (0.01 + norm(m) per row) else m
  view cols_even = if rank >= 2 then param - mean(m) per col * share else param * mean(param) per tensor
  view twice = if rank >= 2 then param * (max(norm(param / (0.01 + norm(m) per row)) per col) per matrix) else param
  view of_lines = param * (if rank >= 2 then max(sum(abs(m)) per row) per tensor else seen)
}
rule Plain = SGD(lr = 0.1)
rule Arms {
  when named("w0"): SGD(lr = 0.1) | Views
  when size > 20:   Views | Lines
  otherwise:        SGD
}
rule Sizes {
  step { update = grad }
  view lengths = param * 0 + norm(param) per tensor
  view mean_size = param * 0 + mean(size) per model
  view in_group = param * 0 + sum(param) per group
}
rule Chosen {
  when named("w0"): SGD
  otherwise: Sizes
}
)";

template <class T>
Model<T> finite(Model<T> model) {
  model.make_finite();
  return model;
}

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

const std::vector<std::size_t> kSizes = {1, 17, TALWEG_CHUNK_ELEMENTS * 3 + 5, 0, 33, 16};
const std::vector<Shape> kShapes = {
    {3, 5}, {17}, {2, 4, 70}, {0, 4}, {140, TALWEG_CHUNK_ELEMENTS / 64}, {1, 2100}, {}, {33, 1}};

}  // namespace

TEMPLATE_TEST_CASE("every target and any number of threads reduces the same in views", "", float,
                   double) {
  for (const char* rule : {"m.Views", "SGD | m.Views", "m.Arms"})
    require_same_views(finite(Model<TestType>(kSizes)), graph_of_rule(rule, kRules));
  for (const char* rule : {"m.Lines", "m.Arms"})
    require_same_views(finite(Model<TestType>(kShapes)), graph_of_rule(rule, kRules));
}

TEMPLATE_TEST_CASE("reductions in views follow NaN and infinities", "", float, double) {
  require_same_views(Model<TestType>(kSizes), graph_of_rule("m.Views", kRules));
}

TEST_CASE("reductions in views are the numbers that they say") {
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph_of_rule("m.Sizes", kRules), ComputeType::F64, isa);
    Model<double> model({3, 2, 0, 4});
    model.params = {{3, 4, 12}, {-6, 8}, {}, {1, 1, 1, 1}};
    auto optimizer = model.optimizer(program, 1);
    using Values = std::vector<std::vector<double>>;
    CHECK(model.read(optimizer, "lengths") == Values{{13, 13, 13}, {10, 10}, {}, {2, 2, 2, 2}});
    const double size = (3.0 + 2 + 0 + 4) / 4;
    CHECK(model.read(optimizer, "mean_size") ==
          Values{{size, size, size}, {size, size}, {}, {size, size, size, size}});
    // Tensors 0 and 2 are of group 0, the others of group 1.
    CHECK(model.read(optimizer, "in_group") == Values{{19, 19, 19}, {6, 6}, {}, {6, 6, 6, 6}});
  }
}

TEST_CASE("a view reduces over the tensors of its stage only") {
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph_of_rule("m.Chosen", kRules), ComputeType::F64, isa);
    Model<double> model({3, 2, 4});
    model.params = {{100, 100, 100}, {-6, 8}, {1, 2, 3, 4}};
    auto optimizer = model.optimizer(program, 1);
    CHECK(model.read(optimizer, "mean_size") ==
          std::vector<std::vector<double>>{{100, 100, 100}, {3, 3}, {3, 3, 3, 3}});
    CHECK(model.read(optimizer, "in_group") ==
          std::vector<std::vector<double>>{{100, 100, 100}, {2, 2}, {10, 10, 10, 10}});
  }
}

TEST_CASE("a view read for one tensor reduces over all, and touches no other") {
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph_of_rule("m.Views", kRules), ComputeType::F32, isa);
    auto model = finite(Model<float>(kSizes));
    auto optimizer = model.optimizer(program, 3);
    for (int step = 0; step < 2; ++step) {
      const auto before = model.params;
      for (const std::string& view : optimizer.views()) {
        INFO(isa << ", " << view << " before step " << step);
        const auto all = model.read(optimizer, view);
        std::vector<float> alone(all[2].size());
        REQUIRE(optimizer.read_view(view, 2, alone.data()));
        CHECK(bytes_of(alone) == bytes_of(all[2]));
        CHECK(same_bits(model.params, before));
        std::vector<float> small(17);
        REQUIRE(optimizer.read_view(view, 1, small.data()));
        CHECK(bytes_of(small) == bytes_of(all[1]));
      }
      REQUIRE(model.step(optimizer));
    }
  }
}

TEST_CASE("steps go on as if no view had reduced anything") {
  for (const char* rule : {"m.Views", "m.Lines", "m.Arms"})
    require_same_steps(finite(Model<float>(kShapes)), graph_of_rule(rule, kRules));
}

TEST_CASE("what only views reduce is no work of steps") {
  const auto program =
      compile_for(graph_of_rule("m.Sizes", kRules), ComputeType::F32, isas_here().back());
  const auto interpreter =
      driver::make_interpreter(graph_of_rule("m.Sizes", kRules), ComputeType::F32);
  for (const talweg_image* image : {&program->image(), &interpreter->image()}) {
    CHECK(image->step.phase_count == 1);
    CHECK(image->step.reduction_count == 0);
    CHECK(image->views[0].kernels.reduction_count > 0);
  }
  CHECK(program->image().scratch_count == 0);
}

}  // namespace talweg::tests
