/* libtalweg from C99: compiling, mistakes in rules, misuse, lifetimes. Ends with 1 where something
 * is not as it should be. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talweg/talweg.h>

#include "../standalone/one_tensor.h"

static int failures;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)
/* The call fails so, and its message has that in it. */
#define REFUSED(call, code, part)                                                     \
  do {                                                                                \
    error.message[0] = 0;                                                             \
    const talweg_status got = (call);                                                 \
    if (got != (code) || error.status != (code) || !strstr(error.message, part)) {    \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, talweg_status_text(got), \
              error.message);                                                         \
      ++failures;                                                                     \
    }                                                                                 \
  } while (0)

static talweg_error error;
static const uint64_t shape[] = {4, 3};

static talweg_options options_for(const char* text) {
  talweg_options options = {0};
  options.interface_version = TALWEG_INTERFACE;
  options.text = text;
  return options;
}

static const talweg_rule* compiled(const char* expression, const talweg_options* options) {
  const talweg_rule* rule = NULL;
  if (talweg_compile(expression, options, &rule, NULL, &error)) {
    fprintf(stderr, "%s: %s\n", expression, error.message);
    exit(1);
  }
  return rule;
}

static talweg_optimizer* created(const talweg_rule* rule, void* param) {
  talweg_tensor tensor = {0};
  talweg_spec spec = {0};
  DESCRIBE_ONE_TENSOR(&spec, TALWEG_INTERFACE, &tensor, shape, param);
  talweg_optimizer* optimizer = NULL;
  if (talweg_create(rule, &spec, &optimizer, &error)) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  return optimizer;
}

static void step_with(talweg_optimizer* optimizer, void* gradient) {
  void* gradients[] = {gradient};
  CHECK(talweg_step(optimizer, gradients, NULL, NULL, &error) == TALWEG_OK);
}

/* The rule that each program is about: compiled, stepped, gone before its optimizer. */
static void test_life(void) {
  float w[12] = {0}, g[12];
  for (int i = 0; i < 12; ++i) g[i] = (float)i;
  const talweg_rule* rule = compiled("SGD(lr = 0.5)", NULL);
  CHECK(strcmp(rule->name, "SGD") == 0 && rule->element_bytes == 4);
  talweg_optimizer* first = created(rule, w);
  talweg_rule_destroy(rule);
  step_with(first, g);
  step_with(first, g);
  for (int i = 0; i < 12; ++i) CHECK(w[i] == -(float)i);
  CHECK(talweg_steps(first) == 2 && talweg_calls(first) == 2);
  talweg_destroy(first);
  talweg_destroy(NULL);
  talweg_rule_destroy(NULL);
  talweg_report_destroy(NULL);
}

static void test_own_memory(void) {
  double w[12] = {0}, g[12] = {1};
  talweg_options options = options_for(NULL);
  options.element_bytes = 8;
  const talweg_rule* rule = compiled("AdamW", &options);
  CHECK(rule->element_bytes == 8);
  talweg_tensor tensor = {0};
  talweg_spec spec = {0};
  DESCRIBE_ONE_TENSOR(&spec, TALWEG_INTERFACE, &tensor, shape, w);
  talweg_sizes sizes;
  CHECK(talweg_measure(rule, &spec, &sizes, &error) == TALWEG_OK);
  CHECK(sizes.state_bytes >= 2 * sizeof w);
  unsigned char* memory = malloc(sizes.control_bytes + sizes.control_alignment + sizes.state_bytes +
                                 sizes.state_alignment);
  unsigned char* control =
      memory + (sizes.control_alignment - (uintptr_t)memory % sizes.control_alignment);
  unsigned char* states = control + sizes.control_bytes;
  states += sizes.state_alignment - (uintptr_t)states % sizes.state_alignment;
  talweg_optimizer* optimizer = NULL;
  CHECK(talweg_create_in(rule, &spec, control, states, &optimizer, &error) == TALWEG_OK);
  talweg_rule_destroy(rule);
  step_with(optimizer, g);
  CHECK(w[0] < 0 && w[1] == 0);
  talweg_destroy(optimizer);
  free(memory);
}

static void test_text(void) {
  const talweg_rule* rule;
  talweg_report* report;
  talweg_options options = options_for(
      "/// Halves.\nrule Half {\n  /// How fast.\n  hyper lr = 1 in [0, 2]\n"
      "  state last\n  step { last = grad update = lr * param / 2 }\n}\n");
  options.text_name = "mine.tw";
  CHECK(talweg_compile("", &options, &rule, &report, &error) ==
        TALWEG_BAD_RULE); /* two statements in a line */
  CHECK(strstr(talweg_report_text(report), "mine.tw:6:") != NULL);
  CHECK(strstr(talweg_report_text(report), "^") != NULL);
  talweg_report_destroy(report);

  options.text =
      "/// Halves.\nrule Half {\n  /// How fast.\n  hyper lr = 1 in [0, 2]\n  state last\n"
      "  step {\n    last = grad\n    update = lr * param / 2\n  }\n}\n";
  rule = compiled(NULL, &options);
  talweg_hyper hyper;
  CHECK(talweg_rule_hyper(rule, 0, &hyper) && strcmp(hyper.name, "lr") == 0 && hyper.high == 2);
  CHECK(strcmp(hyper.about, "How fast.") == 0 && hyper.default_value == 1 && hyper.high_closed);
  CHECK(!talweg_rule_hyper(rule, 1, &hyper));
  talweg_part state;
  CHECK(talweg_rule_state(rule, 0, &state) && strcmp(state.name, "last") == 0);
  CHECK(state.rate == TALWEG_OF_ELEMENT && state.element_bytes == 4);
  CHECK(!talweg_rule_state(rule, 1, &state) && !talweg_rule_view(rule, 0, &state));
  CHECK(strstr(rule->description, "\"How fast.\"") != NULL);
  CHECK(strstr(talweg_rule_plan(rule), "1 phase") != NULL);
  CHECK(strstr(talweg_rule_plan_json(rule), "\"bytes_per_parameter\"") != NULL);
  talweg_rule_destroy(rule);
  rule = compiled("ClipByGlobalNorm(1) | Half(lr = 0.5)", &options);
  talweg_rule_destroy(rule);

  const char* const vague[] = {"", " ", "rules/"};
  for (int i = 0; i < 3; ++i) {
    options.text_name = vague[i];
    rule = compiled(NULL, &options);
    CHECK(strcmp(rule->name, "Half") == 0);
    talweg_rule_destroy(rule);
  }

  options.text = "rule A { step { param = 1 } }\nrule B { step { param = 2 } }\n";
  REFUSED(talweg_compile(" ", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "A, B");
  options.text = "fn twice(x) = x + x\n";
  REFUSED(talweg_compile(NULL, &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT,
          "declares no rule");
}

static void test_mistakes_in_rules(void) {
  const talweg_rule* rule = NULL;
  talweg_report* report = NULL;
  REFUSED(talweg_compile("ClipByGlobalNorm(1) | AdanX", NULL, &rule, &report, &error),
          TALWEG_BAD_RULE, "rule:1:23: there is no rule `AdanX`; did you mean `Adan`?");
  CHECK(rule == NULL);
  CHECK(strstr(talweg_report_text(report), "1 | ClipByGlobalNorm(1) | AdanX\n") != NULL);
  CHECK(strstr(talweg_report_text(report), "  |                       ^^^^^\n") != NULL);
  CHECK(strstr(talweg_report_text(report), "= help: did you mean `Adan`?") != NULL);
  CHECK(strncmp(talweg_report_json(report), "{\"code\":\"TW", 11) == 0);
  CHECK(strstr(talweg_report_json(report), "\"line\":1,\"column\":23") != NULL);
  talweg_report_destroy(report);
  CHECK(strcmp(talweg_report_text(NULL), "") == 0 && strcmp(talweg_report_json(NULL), "") == 0);
  REFUSED(talweg_compile("AdamW(lr = )", NULL, &rule, NULL, &error), TALWEG_BAD_RULE, "rule:1:12");
}

static void test_misuse_of_compile(void) {
  const talweg_rule* rule = NULL;
  talweg_report* report = (talweg_report*)&rule;
  talweg_options options = options_for(NULL);
  REFUSED(talweg_compile("AdamW", NULL, NULL, &report, &error), TALWEG_BAD_ARGUMENT, "null");
  CHECK(report == NULL);
  REFUSED(talweg_compile(NULL, NULL, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "empty");
  options.interface_version = 0;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT,
          "no interface_version");
  options.interface_version = TALWEG_INTERFACE + 1;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_NEWER_INTERFACE,
          "version 2");
  options = options_for(NULL);
  options.element_bytes = 2;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT,
          "element_bytes");
  options = options_for(NULL);
  options.backend = 2;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "backend 2");
  options = options_for("rule A { step { param = 1 } }\n");
  options.file = "a.tw";
  REFUSED(talweg_compile("A", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "both");
  options = options_for(NULL);
  options.folder_count = 1;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "folders");
  const char* none = NULL;
  options.folders = &none;
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_BAD_ARGUMENT, "folder 0");
  options = options_for(NULL);
  options.file = "/nowhere/a.tw";
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_SYSTEM, "/nowhere/a.tw");
  options = options_for(NULL);
  options.cpu = "z80";
  REFUSED(talweg_compile("AdamW", &options, &rule, NULL, &error), TALWEG_UNSUPPORTED_CPU, "z80");
  CHECK(strstr(error.message, "here are host, ") && !strstr(error.message, "wasm32"));
  CHECK(rule == NULL);
  CHECK(strcmp(talweg_status_text(TALWEG_BAD_RULE), "BAD_RULE") == 0);
  CHECK(strcmp(talweg_status_text(TALWEG_SYSTEM), "SYSTEM") == 0);
}

static void test_misuse_of_optimizers(void) {
  const talweg_rule* rule = compiled("AdamW", NULL);
  float w[12] = {0};
  void* gradients[] = {w};
  talweg_spec spec = {0};
  talweg_optimizer* optimizer = NULL;
  REFUSED(talweg_create(NULL, &spec, &optimizer, &error), TALWEG_BAD_ARGUMENT, "the rule is null");
  REFUSED(talweg_create(rule, NULL, &optimizer, &error), TALWEG_BAD_ARGUMENT, "spec");
  REFUSED(talweg_create(rule, &spec, &optimizer, &error), TALWEG_BAD_ARGUMENT,
          "no interface_version");
  REFUSED(talweg_measure(rule, &spec, NULL, &error), TALWEG_BAD_ARGUMENT, "null");
  REFUSED(talweg_create_in(NULL, &spec, w, w, &optimizer, &error), TALWEG_BAD_ARGUMENT,
          "the rule is null");
  REFUSED(talweg_step(NULL, gradients, NULL, NULL, &error), TALWEG_BAD_ARGUMENT,
          "the optimizer is null");
  /* A rule of another library: its table has other functions. */
  talweg_functions others = *rule->functions;
  talweg_rule foreign = *rule;
  foreign.functions = &others;
  REFUSED(talweg_create(&foreign, &spec, &optimizer, &error), TALWEG_BAD_ARGUMENT,
          "another library");
  REFUSED(talweg_measure(&foreign, &spec, NULL, &error), TALWEG_BAD_ARGUMENT, "another library");
  CHECK(talweg_rule_plan(&foreign) == NULL && talweg_rule_plan_json(&foreign) == NULL);
  talweg_rule_destroy(&foreign); /* not its to end */
  optimizer = created(rule, w);
  REFUSED(talweg_step(optimizer, gradients, NULL, NULL, &error), TALWEG_OVERLAP, "");
  REFUSED(talweg_set_hyper(optimizer, "lr", TALWEG_ALL_GROUPS, -1, &error), TALWEG_OUT_OF_RANGE,
          "[0, inf)");
  REFUSED(talweg_set_hyper(optimizer, "rate", 0, 1, &error), TALWEG_UNKNOWN_NAME, "lr, beta1");
  CHECK(talweg_set_hyper(optimizer, "rate", 0, 1, NULL) == TALWEG_UNKNOWN_NAME);
  talweg_destroy(optimizer);
  talweg_rule_destroy(rule);
}

int main(void) {
  test_life();
  test_own_memory();
  test_text();
  test_mistakes_in_rules();
  test_misuse_of_compile();
  test_misuse_of_optimizers();
  CHECK(talweg_interface_version() == TALWEG_INTERFACE);
  CHECK(strstr(talweg_describe(), talweg_version()) != NULL);
  printf("%d failures\n", failures);
  return failures ? 1 : 0;
}
