// An optimizer of a built library in the functions of libtalweg, and the other way round: each
// refuses it or returns nothing, and leaves it as it is.
#include <adamw.h>

#include <cstdio>
#include <cstring>
#include <talweg/talweg.hpp>

#include "../standalone/one_tensor.h"

namespace {

int failures = 0;

void check(bool condition, const char* what) {
  if (!condition) std::printf("not so: %s\n", what), ++failures;
}
#define CHECK(condition) check(condition, #condition)

struct Model {
  float w[5] = {}, gradient[5] = {1, 1, 1, 1, 1};
  talweg_optimizer* optimizer = nullptr;
  const talweg_functions* own;

  explicit Model(const talweg_rule* rule) : own(rule->functions) {
    const std::uint64_t shape[] = {5};
    talweg_tensor tensor{};
    talweg_spec spec{};
    DESCRIBE_ONE_TENSOR(&spec, TALWEG_INTERFACE, &tensor, shape, w);
    CHECK(own->create(rule, &spec, &optimizer, nullptr) == TALWEG_OK);
  }
  ~Model() { own->destroy(optimizer); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  void step(std::uint64_t count) {
    void* gradients[] = {gradient};
    CHECK(own->step(optimizer, gradients, nullptr, nullptr, nullptr) == TALWEG_OK);
    CHECK(own->steps(optimizer) == count);
  }
};

talweg_error error;

void check_refused(talweg_status status, const char* function) {
  check(status == TALWEG_BAD_ARGUMENT && error.status == status, function);
  check(std::strstr(error.message, "the optimizer is of another library") != nullptr, function);
  error = {};
}
#define REFUSED(function, ...) \
  check_refused(others.function(model.optimizer, __VA_ARGS__, &error), #function)

void refuse_all(const talweg_functions& others, Model& model) {
  void* arrays[] = {model.gradient};
  double value = 7;
  char buffer[256] = {};
  talweg_state state{};
  check_refused(others.reset(model.optimizer, &error), "reset");
  REFUSED(step, arrays, nullptr, nullptr);
  REFUSED(set_hyper, "lr", 0, 1);
  REFUSED(get_hyper, "lr", 0, &value);
  REFUSED(read_view, "averaged", arrays);
  REFUSED(swap_in, "averaged", buffer);
  check_refused(others.swap_out(model.optimizer, &error), "swap_out");
  REFUSED(find_state, "m", 0, &state);
  REFUSED(save, buffer, sizeof buffer);
  REFUSED(load, buffer, sizeof buffer);
  CHECK(others.reset(model.optimizer, nullptr) == TALWEG_BAD_ARGUMENT);
  CHECK(others.steps(model.optimizer) == 0 && others.calls(model.optimizer) == 0);
  CHECK(others.swap_bytes(model.optimizer) == 0 && others.saved_bytes(model.optimizer) == 0);
  CHECK(others.is_waiting(model.optimizer) == 0);
  CHECK(others.next_state(model.optimizer, &state) == 0);
  CHECK(std::strcmp(others.cpu(model.optimizer), "") == 0);
  others.abandon(model.optimizer);
  others.destroy(model.optimizer);
  CHECK(value == 7 && state.data == nullptr && buffer[0] == 0);
}

}  // namespace

int main() {
  talweg_options options{};
  options.interface_version = TALWEG_INTERFACE;
  options.backend = TALWEG_INTERPRETER;
  const talweg_rule* compiled = nullptr;
  if (talweg_compile("AdamW", &options, &compiled, nullptr, &error) != TALWEG_OK) return 1;
  CHECK(compiled->functions->reset == talweg_reset && compiled->functions->save == talweg_save);
  CHECK(compiled->functions->destroy == talweg_destroy);
  {
    Model of_talweg(compiled), of_built(adamw_rule());
    for (std::uint64_t count = 1; count < 3; ++count) {
      refuse_all(*compiled->functions, of_built);
      void* gradients[] = {of_built.gradient};
      check_refused(talweg_step(of_built.optimizer, gradients, nullptr, nullptr, &error),
                    "talweg_step");
      refuse_all(*adamw_rule()->functions, of_talweg);
      of_built.step(count);
      of_talweg.step(count);
      CHECK(std::memcmp(of_built.w, of_talweg.w, sizeof of_built.w) == 0);
    }
  }
  talweg_rule_destroy(compiled);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
