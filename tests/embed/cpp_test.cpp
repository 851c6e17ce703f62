// talweg.hpp over compiled rules: what it adds to the C interface, and optimizers on threads.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <talweg/talweg.hpp>
#include <thread>

namespace {

using talweg::Optimizer;
using talweg::Outcome;

struct Problem {
  std::vector<float> w, b, grad_w, grad_b;
  explicit Problem(std::size_t size = 600)
      : w(size, 1.f), b(3, -1.f), grad_w(size), grad_b(3, 0.5f) {
    for (std::size_t i = 0; i < size; ++i) grad_w[i] = std::sin(static_cast<float>(i));
  }
  std::vector<talweg::Tensor> tensors() {
    return {{"w", {w.size() / 3, 3}, w.data()}, {"b", {3}, b.data()}};
  }
};

/// The error that a call throws, as "CODE: message".
std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const talweg::Error& error) {
    return error.code() + ": " + error.what();
  }
  return "none";
}

/// The parameters after some steps.
std::vector<float> trained(const talweg::Rule& rule, unsigned threads) {
  Problem problem(9000);
  talweg::Options options;
  options.threads = threads;
  Optimizer optimizer(rule, problem.tensors(), options);
  for (int i = 0; i < 5; ++i)
    while (optimizer.step({problem.grad_w.data(), problem.grad_b.data()}) == Outcome::Regrad) {
    }
  return problem.w;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

talweg::CompileOptions interpreter() {
  talweg::CompileOptions options;
  options.interpreter = true;
  return options;
}

}  // namespace

TEST_CASE("compiled rules give the interpreter's bits with any number of threads") {
  for (const char* expression :
       {"AdamW", "LAMB", "SAM | AdamW", "ClipByGlobalNorm(1) | Adafactor"}) {
    CAPTURE(expression);
    const std::vector<float> expected = trained(talweg::compile(expression, interpreter()), 1);
    CHECK(expected[1] != 1.f);
    const talweg::Rule rule = talweg::compile(expression);
    for (const unsigned threads : {1u, 2u, 5u}) CHECK(same_bits(trained(rule, threads), expected));
    talweg::CompileOptions fresh;
    fresh.cache = false;
    fresh.cpu = "x86-64-v2";
    if (const std::string error = error_of([&] { talweg::compile("SGD", fresh); }); error == "none")
      CHECK(same_bits(trained(talweg::compile(expression, fresh), 1), expected));
    else
      CHECK(error.find("UNSUPPORTED_CPU") == 0);
  }
}

TEST_CASE("a mistake in a rule is told with its place and a way out") {
  try {
    talweg::compile("AdamW(leraning_rate = 1)");
    FAIL("compiled");
  } catch (const talweg::Error& error) {
    CHECK(error.status() == TALWEG_BAD_RULE);
    CHECK(error.code() == "BAD_RULE");
    CHECK(std::string(error.what()).find("rule:1:7: rule `AdamW` has no hyper named") !=
          std::string::npos);
    CHECK(error.diagnostics().find("1 | AdamW(leraning_rate = 1)\n  |       ^^^^^^^^^^^^^") !=
          std::string::npos);
    CHECK(error.diagnostics().find("= help: it has lr, beta1") != std::string::npos);
    CHECK(error.diagnostics_json().find("\"code\":\"TW0213\"") != std::string::npos);
  }
}

TEST_CASE("a rule that is warned of is compiled, and the warning is there to read") {
  talweg::CompileOptions options;
  options.text =
      "rule Kept {\n  state idle\n  step {\n    idle = grad\n    update = grad\n  }\n}\n";
  options.text_name = "kept.tw";
  const talweg::Rule rule = talweg::compile("", options);
  CHECK(rule.name() == "Kept");
  CHECK(rule.warnings().find("kept.tw:2:9") != std::string::npos);
  CHECK(talweg::compile("AdamW").warnings().empty());
}

TEST_CASE("a rule says what it has") {
  const talweg::Rule rule = talweg::compile("PolyakStep | Ema");
  REQUIRE(rule.inputs().size() == 1);
  CHECK(std::string(rule.inputs()[0].name) == "loss");
  CHECK(rule.inputs()[0].rate == TALWEG_OF_MODEL);
  REQUIRE(rule.views().size() == 1);
  CHECK(std::string(rule.views()[0].name) == "averaged");
  CHECK(std::string(rule.hypers().at(0).name) == "lr");
  CHECK(rule.hypers().at(0).high == INFINITY);
  CHECK(std::string(rule.states().at(0).name) == "average");
  CHECK_FALSE(rule.is_double());
  CHECK(rule.plan().find("PolyakStep | Ema in float32") == 0);
  CHECK(rule.description().find("\"loss\"") != std::string::npos);
}

TEST_CASE("inputs are given by name and hold until they are given anew") {
  Problem problem;
  Optimizer optimizer(talweg::compile("PolyakStep"), problem.tensors());
  const auto step = [&] { optimizer.step({problem.grad_w.data(), problem.grad_b.data()}); };
  CHECK(error_of(step).find("MISSING_INPUT: ") == 0);
  CHECK(problem.w[1] == 1.f);
  CHECK(error_of([&] { optimizer.give("los", 1); }) ==
        "UNKNOWN_NAME: there is no input `los`; the rule has loss");
  CHECK(error_of([&] {
          optimizer.give_numbers("loss", {1, 2});
        }) == "BAD_ARGUMENT: input `loss` is a single number");
  CHECK(error_of([&] {
          optimizer.give_arrays("loss", {nullptr, nullptr});
        }) == "BAD_ARGUMENT: input `loss` takes numbers");
  optimizer.give("loss", 2);
  step();
  step();
  CHECK(optimizer.steps() == 2);
  CHECK(problem.w[1] != 1.f);
  optimizer.take_back("loss");
  CHECK(error_of(step).find("MISSING_INPUT: ") == 0);
  Optimizer plain(talweg::compile("AdamW"), problem.tensors());
  CHECK(error_of([&] { plain.give("loss", 1); }) ==
        "UNKNOWN_NAME: there is no input `loss`; the rule has none");
}

TEST_CASE("inputs of elements are arrays, one a tensor") {
  Problem problem;
  Optimizer optimizer(talweg::compile("AdaHessian"), problem.tensors());
  const std::vector<double> wrong(problem.w.size());
  CHECK(error_of([&] {
          optimizer.give_arrays("hessian", {wrong.data(), nullptr});
        }) == "BAD_ARGUMENT: input `hessian` is of float");
  CHECK(error_of([&] { optimizer.give("hessian", 1.0); }) ==
        "BAD_ARGUMENT: input `hessian` takes an array for each tensor");
  const std::vector<float> hessian(problem.w.size(), 2.f);
  CHECK(error_of([&] { optimizer.give_arrays("hessian", {hessian.data()}); }) ==
        "BAD_ARGUMENT: input `hessian` takes an array for each tensor");
  optimizer.give_arrays("hessian", {hessian.data(), hessian.data()});
  optimizer.step({problem.grad_w.data(), problem.grad_b.data()});
  CHECK(optimizer.steps() == 1);
}

TEST_CASE("arrays that are refused leave those that were given before") {
  const auto stepped = [](bool has_refusal) {
    Problem problem;
    Optimizer optimizer(talweg::compile("AdaHessian"), problem.tensors());
    const std::vector<float> hessian(problem.w.size(), 2.f), other(problem.w.size(), 9.f);
    const std::vector<double> wrong(problem.b.size());
    optimizer.give_arrays("hessian", {hessian.data(), hessian.data()});
    if (has_refusal)
      CHECK(error_of([&] {
              optimizer.give_arrays("hessian", {other.data(), wrong.data()});
            }) == "BAD_ARGUMENT: input `hessian` is of float");
    optimizer.step({problem.grad_w.data(), problem.grad_b.data()});
    return std::vector<float>(optimizer.state("v").data<float>(),
                              optimizer.state("v").data<float>() + problem.w.size());
  };
  CHECK(same_bits(stepped(true), stepped(false)));
}

static_assert(!std::is_copy_constructible_v<Optimizer> && !std::is_copy_assignable_v<Optimizer>,
              "a copy would step the same tensors");

TEST_CASE("what was moved from is refused") {
  Problem problem;
  talweg::Rule rule = talweg::compile("AdamW | Ema");
  const talweg::Rule kept = std::move(rule);
  const std::string no_rule = "BAD_ARGUMENT: the rule is null or was moved from";
  CHECK(error_of([&] { Optimizer(rule, problem.tensors()); }) == no_rule);  // NOLINT: meant
  CHECK(error_of([&] { (void)rule.name(); }) == no_rule);
  CHECK(error_of([&] { (void)rule.inputs(); }) == no_rule);
  CHECK(error_of([&] { (void)rule.plan(); }) == no_rule);
  CHECK(error_of([] { Optimizer(nullptr, {}); }) == no_rule);
  Optimizer optimizer(kept, problem.tensors());
  Optimizer moved = std::move(optimizer);
  const std::string none = "BAD_ARGUMENT: the optimizer is null or was moved from";
  CHECK(error_of([&] { (void)optimizer.steps(); }) == none);  // NOLINT: meant
  CHECK(error_of([&] { optimizer.step({nullptr, nullptr}); }) == none);
  CHECK(error_of([&] { optimizer.give("loss", 1); }) == none);
  CHECK(error_of([&] { (void)optimizer.swap_in("averaged"); }) == none);
  CHECK(error_of([&] { (void)optimizer.rule(); }) == none);
  optimizer = std::move(moved);
  rule = kept;
  CHECK(optimizer.steps() == 0);
  CHECK(rule.name() == kept.name());
}

TEST_CASE("inputs of groups are a number for each group") {
  Problem problem;
  std::vector<talweg::Tensor> tensors = problem.tensors();
  tensors[1].group = 299;
  talweg::CompileOptions text;
  text.text = "rule Boosted {\n  input group boost\n  step { update = boost * grad }\n}\n";
  const talweg::Rule rule = talweg::compile("", text);
  talweg::Options options;
  options.groups = 300;
  Optimizer optimizer(rule, tensors, options);
  const std::string refused = "BAD_ARGUMENT: input `boost` takes a number for each group";
  CHECK(error_of([&] { optimizer.give("boost", 2.0); }) == refused);
  CHECK(error_of([&] { optimizer.give_numbers("boost", {}); }) == refused);
  CHECK(error_of([&] { optimizer.give_numbers("boost", std::vector<double>(301)); }) == refused);
  std::vector<double> boosts(300, 0.0);
  boosts[299] = 4;
  optimizer.give_numbers("boost", boosts);
  optimizer.step({problem.grad_w.data(), problem.grad_b.data()});
  CHECK(problem.w[1] == 1.f);
  CHECK(problem.b[0] == -3.f);
  options.groups = 0;  // means 1
  Optimizer single(rule, problem.tensors(), options);
  single.give("boost", 2.0);
  single.step({nullptr, problem.grad_b.data()});
  CHECK(problem.b[0] == -4.f);
}

TEST_CASE("pointers of the wrong type or number are refused") {
  Problem problem;
  std::vector<double> doubles(600);
  CHECK(error_of([&] {
          Optimizer(talweg::compile("AdamW"), {{"w", {600}, doubles.data()}});
        }) == "BAD_ARGUMENT: the parameters of tensor `w` are not of float, as the rule has it");
  Optimizer optimizer(talweg::compile("AdamW"), problem.tensors());
  CHECK(error_of([&] { optimizer.step({problem.grad_w.data()}); }) ==
        "BAD_ARGUMENT: 1 gradients are given for 2 tensors");
  CHECK(error_of([&] {
          optimizer.step({doubles.data(), nullptr});
        }) == "BAD_ARGUMENT: gradient 0 is not of float");
  CHECK(error_of([&] { optimizer.step(); }).find("BAD_ARGUMENT: ") == 0);
  CHECK(error_of([&] {
          optimizer.read_view("x", {problem.grad_w.data()});
        }).find("BAD_ARGUMENT: a view is read") == 0);
  CHECK(optimizer.calls() == 0);
  talweg::CompileOptions options;
  options.doubles = true;
  Optimizer exact(talweg::compile("AdamW", options), {{"w", {600}, doubles.data()}});
  exact.step(std::vector<const double*>{std::vector<double>(600, 1.0).data()});
  CHECK(doubles[0] < 0);
  CHECK(exact.state("m").data<double>()[0] == Approx(0.1));
  CHECK(exact.state("m").data<float>() == nullptr);
}

TEST_CASE("a view stands in for the parameters as long as its scope") {
  Problem problem;
  std::vector<float> averages(problem.w.size());
  const auto swapped = [&] {
    Optimizer optimizer(talweg::compile("AdamW | Ema"), problem.tensors());
    for (int i = 0; i < 3; ++i) optimizer.step({problem.grad_w.data(), problem.grad_b.data()});
    optimizer.read_view("averaged", {averages.data(), nullptr});
    const std::vector<float> before = problem.w;
    {
      const talweg::View view = optimizer.swap_in("averaged");
      CHECK(same_bits(problem.w, averages));
      CHECK_FALSE(same_bits(problem.w, before));
      CHECK(error_of([&] { optimizer.step({nullptr, nullptr}); }).find("SWAPPED_IN: ") == 0);
      CHECK(error_of([&] { (void)optimizer.swap_in("averaged"); }).find("SWAPPED_IN: ") == 0);
    }
    CHECK(same_bits(problem.w, before));
    CHECK(error_of([&] { (void)optimizer.swap_in("mean"); }).find("UNKNOWN_NAME: ") == 0);
    talweg::View first = optimizer.swap_in("averaged");
    talweg::View moved = std::move(first);
    CHECK(same_bits(problem.w, averages));
    return moved;  // outlives its optimizer
  };
  {
    const talweg::View view = swapped();
    CHECK(same_bits(problem.w, averages));
  }
  CHECK_FALSE(same_bits(problem.w, averages));
}

TEST_CASE("what is saved goes on in another optimizer, through memory and through a file") {
  Problem problem;
  const talweg::Rule rule = talweg::compile("LAMB");
  Optimizer first(rule, problem.tensors());
  const std::vector<const float*> gradients{problem.grad_w.data(), problem.grad_b.data()};
  for (int i = 0; i < 3; ++i) first.step(gradients);
  Problem copy = problem;
  const std::string path = "embed_cpp_test.safetensors";
  first.save_file(path);
  Optimizer second(rule, copy.tensors());
  second.load_file(path);
  std::remove(path.c_str());
  CHECK(second.save() == first.save());
  first.step(gradients);
  second.step(gradients);
  CHECK(same_bits(problem.w, copy.w));
  CHECK(second.steps() == 4);
  CHECK(error_of([&] { second.load(std::vector<std::byte>(9)); }).find("BAD_DATA: ") == 0);
  const std::string no_file = "/nowhere/x: No such file or directory";
  CHECK(error_of([&] { second.load_file("/nowhere/x"); }) == "SYSTEM: cannot read " + no_file);
  CHECK(error_of([&] { second.save_file("/nowhere/x"); }) == "SYSTEM: cannot write " + no_file);
  CHECK(error_of([&] { second.load_file("/"); }) == "SYSTEM: cannot read /: Is a directory");
  CHECK(error_of([&] { second.load_file("/dev/null"); }).find("BAD_DATA: ") == 0);
  second.reset();
  CHECK(second.steps() == 0);
  CHECK(second.state("m", 1).data<float>()[0] == 0.f);
  CHECK(second.state("m", 1).tensor() == "b");
  CHECK(error_of([&] { (void)second.state("m", 2); }).find("BAD_ARGUMENT: ") == 0);
  CHECK(second.states().size() == 6);  // two counters, m and v of two tensors
}

TEST_CASE("a file is replaced whole, and nothing else is touched") {
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "talweg-save-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const fs::path folder = name;
  const auto text_of = [&](const char* file) {
    std::ifstream stream(folder / file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const auto files = [&] { return std::distance(fs::directory_iterator(folder), {}); };
  Problem problem;
  const talweg::Rule rule = talweg::compile("AdamW");
  const Optimizer optimizer(rule, problem.tensors());
  const std::vector<std::byte> bytes = optimizer.save();
  const std::string saved(reinterpret_cast<const char*>(bytes.data()), bytes.size());

  std::ofstream(folder / "state.new") << "mine";
  std::ofstream(folder / "state") << "old";
  fs::permissions(folder / "state", fs::perms(0600));
  fs::create_symlink("state", folder / "link");
  optimizer.save_file(folder / "link");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(text_of("state") == saved);
  CHECK(fs::status(folder / "state").permissions() == fs::perms(0600));
  CHECK(text_of("state.new") == "mine");
  CHECK(files() == 3);

  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::string piped;
  std::thread reader([&] { piped = text_of("pipe"); });
  optimizer.save_file(folder / "pipe");
  // A pipe that was replaced has no writer that its reader would wait for.
  const bool is_pipe = fs::is_fifo(folder / "pipe");
  if (!is_pipe) reader.detach();
  REQUIRE(is_pipe);
  reader.join();
  CHECK(piped == saved);

  fs::create_directory(folder / "folder");
  CHECK(error_of([&] { optimizer.save_file(folder / "folder"); }) ==
        "SYSTEM: cannot write " + (folder / "folder").string() + ": Is a directory");
  CHECK(files() == 5);
  fs::remove_all(folder);
}

TEST_CASE("a step that waits for another gradient may be abandoned") {
  Problem problem;
  Optimizer optimizer(talweg::compile("SAM | AdamW"), problem.tensors());
  const std::vector<float> before = problem.w;
  CHECK(optimizer.step({problem.grad_w.data(), problem.grad_b.data()}) == Outcome::Regrad);
  CHECK(optimizer.is_waiting());
  CHECK_FALSE(same_bits(problem.w, before));
  CHECK(error_of([&] { (void)optimizer.save(); }).find("WAITING: ") == 0);
  optimizer.abandon();
  CHECK(same_bits(problem.w, before));
}

TEST_CASE("hypers are set for a group or for all") {
  Problem problem;
  std::vector<talweg::Tensor> tensors = problem.tensors();
  tensors[1].group = 1;
  talweg::Options options;
  options.groups = 2;
  Optimizer optimizer(talweg::compile("SGD"), tensors, options);
  optimizer.set("lr", 0.5);
  optimizer.set("lr", 0, 1);
  optimizer.step({problem.grad_w.data(), problem.grad_b.data()});
  CHECK(problem.w[1] == 1.f - 0.5f * problem.grad_w[1]);
  CHECK(problem.b[0] == -1.f);
  CHECK(optimizer.get("lr", 0) == 0.5);
  CHECK(optimizer.get("lr", 1) == 0);
  CHECK(error_of([&] { optimizer.set("lr", 1, 2); }).find("BAD_ARGUMENT: ") == 0);
}

TEST_CASE("one rule serves many optimizers on threads while others are compiled") {
  const std::vector<float> expected = trained(talweg::compile("LAMB"), 1);
  const std::vector<float> expected_adam = trained(talweg::compile("AdamW"), 1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(12);
  auto shared = std::make_unique<talweg::Rule>(talweg::compile("LAMB"));
  for (std::size_t i = 0; i < wrong.size(); ++i)
    threads.emplace_back([&wrong, &expected, &expected_adam, i, rule = *shared] {
      talweg::CompileOptions options;
      options.cache = i % 2 == 0;
      for (int round = 0; round < 3; ++round) {
        const talweg::Rule own = talweg::compile("AdamW", options);
        wrong[i] += !same_bits(trained(rule, 1), expected);
        wrong[i] += !same_bits(trained(own, 2), expected_adam);
        wrong[i] += error_of([] { talweg::compile("Adan(x = 1)"); }).find("BAD_RULE") != 0;
      }
    });
  shared.reset();
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(wrong.size()));
}

TEST_CASE("an optimizer keeps the code of its rule") {
  Problem problem;
  auto rule = std::make_unique<talweg::Rule>(talweg::compile("AdamW"));
  auto first = std::make_unique<Optimizer>(*rule, problem.tensors());
  auto second = std::make_unique<Optimizer>(*rule, problem.tensors());
  rule.reset();
  first->step({problem.grad_w.data(), problem.grad_b.data()});
  first.reset();
  second->step({problem.grad_w.data(), problem.grad_b.data()});
  CHECK(second->steps() == 1);
  CHECK(second->rule().name() == "AdamW");
}
