#include "tests/random/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/random/coverage.h"
#include "tests/random/shrink.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

constexpr std::uint64_t kCampaignRules = 1'000'000;
constexpr std::uint64_t kCampaignBlock = 100;
constexpr std::uint64_t kFullSample = 2500;
constexpr int kMostTries = 2000;

/// What to say if the program ends within a check: by a check of ours, or by a signal.
char where_text[96] = "";

void say_where() {
  const auto written = write(STDERR_FILENO, where_text, std::strlen(where_text));
  static_cast<void>(written);
}

void on_signal(int number) {
  say_where();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void report_ends() {
  std::atexit(say_where);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    std::signal(number, on_signal);
}

CheckOptions options_of(const Machines& machines, const std::vector<std::string>& isas,
                        bool both_types) {
  return {.isas = isas,
          .both_types = both_types,
          .plant = {},
          .compile = machines.compile,
          .threads = machines.threads};
}

void report(const Choices& failing, const CheckOptions& options) {
  const auto fails = [&](Choices& choices) {
    return !check_example(draw_example(choices), options).fault.empty();
  };
  Choices small(shrink(failing.taken(), fails, kMostTries));
  const Example example = draw_example(small);
  const std::string fault = check_example(example, options).fault;
  std::printf("---- made smaller\n%s%s\n", describe(example).c_str(), fault.c_str());
}

/// Checks one example; on a fault says so, makes it smaller, and gives nothing.
std::optional<Outcome> check_number(std::uint64_t n, const Machines& machines,
                                    const CheckOptions& options) {
  Choices choices = choices_of_example(n);
  std::snprintf(where_text, sizeof where_text, "the program ended: %s show %llu\n",
                machines.program, static_cast<unsigned long long>(n));
  const Example example = draw_example(choices);
  Outcome outcome = check_example(example, options);
  where_text[0] = 0;
  if (outcome.fault.empty()) return outcome;
  std::printf("example %llu fails\n%s%s\n", static_cast<unsigned long long>(n),
              describe(example).c_str(), outcome.fault.c_str());
  std::fflush(stdout);
  report(choices, options);
  return std::nullopt;
}

int sample(const Machines& machines, std::uint64_t first, std::uint64_t count) {
  count = sample_size(count);
  Coverage coverage;
  std::map<std::string, std::uint64_t> by_isa;
  std::uint64_t refused = 0, values = 0, finite = 0;
  for (std::uint64_t n = first; n < first + count; ++n) {
    const std::string& isa = machines.isas[n % machines.isas.size()];
    const auto outcome = check_number(n, machines, options_of(machines, {isa}, false));
    if (!outcome) return 1;
    coverage.add_rule(outcome->features);
    ++by_isa[isa];
    refused += outcome->was_refused ? 1 : 0;
    values += outcome->values;
    finite += outcome->finite_values;
  }
  fmt::print("{} rules, {} with a step that was refused; {} values, {} of them finite\n", count,
             refused, values, finite);
  for (const auto& [isa, rules] : by_isa)
    std::printf("%-12s %llu\n", isa.c_str(), static_cast<unsigned long long>(rules));
  // A small sample promises nothing of what is rare.
  const std::uint64_t least = count < kFullSample ? 0 : count / 125;
  // The hard values must not drown all others.
  bool is_enough = finite > values / 3 && refused < count / 3;
  for (const auto& [feature, occurrences] : coverage.counts()) {
    std::printf("%-40s %llu%s\n", feature.c_str(), static_cast<unsigned long long>(occurrences),
                occurrences < least ? "  TOO FEW" : "");
    is_enough = is_enough && occurrences >= least;
  }
  return is_enough ? 0 : 1;
}

int texts(std::uint64_t first, std::uint64_t count) {
  Coverage coverage;
  for (std::uint64_t n = first; n < first + count; ++n) {
    Choices choices = choices_of_example(n);
    const Example example = draw_example(choices);
    const Outcome outcome = check_text_of(example);
    if (!outcome.fault.empty()) {
      std::printf("example %llu fails\n%s%s\n", static_cast<unsigned long long>(n),
                  describe(example).c_str(), outcome.fault.c_str());
      return 1;
    }
    coverage.add_rule(outcome.features);
  }
  for (const auto& [feature, occurrences] : coverage.counts())
    std::printf("%-40s %llu\n", feature.c_str(), static_cast<unsigned long long>(occurrences));
  return 0;
}

int show(const Machines& machines, std::uint64_t n) {
  Choices choices = choices_of_example(n);
  std::fputs(describe(draw_example(choices)).c_str(), stdout);
  std::fflush(stdout);
  return check_number(n, machines, options_of(machines, machines.isas, true)) ? 0 : 1;
}

/// Of what the generator writes. A campaign that another generator began begins anew.
std::string generator_mark() {
  std::uint64_t mark = 0;
  for (std::uint64_t n = 0; n < 100; ++n) {
    Choices choices = choices_of_example(n);
    for (const char letter : describe(draw_example(choices)))
      mark = counter_random(mark, static_cast<unsigned char>(letter));
  }
  return fmt::format("generator {:016x}", mark);
}

/// What a campaign has done: blocks of examples from 0 on, and how often everything occurred.
struct Progress {
  std::uint64_t rules = 0;
  std::uint64_t refused = 0;
  Coverage coverage;
};

Progress read_progress(const char* path) {
  Progress progress;
  std::ifstream stream(path);
  std::string line;
  if (!std::getline(stream, line) || line != generator_mark()) return progress;
  while (std::getline(stream, line)) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string name = line.substr(0, tab);
    const std::uint64_t count = std::strtoull(line.c_str() + tab, nullptr, 10);
    if (name == "rules")
      progress.rules = count;
    else if (name == "refused")
      progress.refused = count;
    else if (progress.coverage.counts().contains(name))
      progress.coverage.add({{name, count}});
  }
  return progress;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::rename((path + ".new").c_str(), path.c_str());
}

void write_progress(const char* path, const Progress& progress) {
  std::string text = fmt::format("{}\nrules\t{}\nrefused\t{}\n", generator_mark(), progress.rules,
                                 progress.refused);
  for (const auto& [feature, count] : progress.coverage.counts())
    text += fmt::format("{}\t{}\n", feature, count);
  write_file(path, text);
}

void write_table(const Machines& machines, const char* path, const Progress& progress) {
  std::string text = fmt::format(
      "# Random rules: the campaign\n\n"
      "Written by `{} campaign` (tests/random/commands.cpp). {} of {} rules so far, "
      "each in float32 and float64 on\n{}, large ones on {} threads, each with the "
      "compiler of its day: no difference to\nthe interpreter. In {} of them a step was refused, "
      "for the same reason everywhere.\n\n"
      "| in so many rules | what |\n|---|---|\n",
      machines.program, progress.rules, kCampaignRules, fmt::join(machines.isas, ", "),
      fmt::join(machines.threads, ", "), progress.refused);
  for (const auto& [feature, count] : progress.coverage.counts())
    text += fmt::format("| {} | {} |\n", count, feature);
  write_file(path, text);
}

int campaign(const Machines& machines, const char* state, const char* table) {
  using Clock = std::chrono::steady_clock;
  const char* limit = std::getenv("TALWEG_CAMPAIGN_SECONDS");
  const auto end = Clock::now() + std::chrono::seconds(limit ? std::atoi(limit) : 600);
  Progress progress = read_progress(state);
  const CheckOptions options = options_of(machines, machines.isas, true);
  while (progress.rules < kCampaignRules && Clock::now() < end) {
    for (std::uint64_t i = 0; i < kCampaignBlock; ++i) {
      const auto outcome = check_number(progress.rules + i, machines, options);
      if (!outcome) return 1;
      progress.coverage.add_rule(outcome->features);
      progress.refused += outcome->was_refused ? 1 : 0;
    }
    progress.rules += kCampaignBlock;
    write_progress(state, progress);
    if (table) write_table(machines, table, progress);
  }
  std::printf("%llu of %llu rules\n", static_cast<unsigned long long>(progress.rules),
              static_cast<unsigned long long>(kCampaignRules));
  return 0;
}

}  // namespace

int run_random_rules(const Machines& machines, int argc, char** argv) {
  report_ends();
  const std::string command = argc > 1 ? argv[1] : "";
  const auto count = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  if (command == "sample" && argc == 4) return sample(machines, count(2), count(3));
  if (command == "texts" && argc == 4) return texts(count(2), count(3));
  if (command == "show" && argc == 3) return show(machines, count(2));
  if (command == "campaign" && (argc == 3 || argc == 4))
    return campaign(machines, argv[2], argc == 4 ? argv[3] : nullptr);
  fmt::print(stderr, "usage: {} sample|texts FIRST COUNT | show N | campaign STATE [TABLE]\n",
             machines.program);
  return 2;
}

}  // namespace talweg::tests
