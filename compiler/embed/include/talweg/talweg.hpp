// talweg for C++17: optimizers written in the talweg language, compiled while the program runs or
// built beforehand.
//
//     talweg::Rule rule = talweg::compile("ClipByGlobalNorm(1) | AdamW");
//     talweg::Optimizer optimizer(rule, {{"w", {64, 32}, w.data()}, {"b", {32}, b.data()}});
//     optimizer.set("lr", 1e-3);
//     while (...) optimizer.step({grad_w.data(), grad_b.data()});
//
// The same code runs with a library that `talweg build` made, once its first line is
//
//     talweg::Rule rule = clipped_rule();  // of clipped.h
//
// and then needs neither libtalweg nor LLVM: all goes through the rule's table of functions. Only
// compile() and what it says needs libtalweg.
//
// What fails throws a talweg::Error. An optimizer takes one call at a time; different optimizers
// are independent, also those of one rule.
#ifndef TALWEG_TALWEG_HPP
#define TALWEG_TALWEG_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "talweg/pool.hpp"
#include "talweg/talweg.h"

namespace talweg {

class Error : public std::runtime_error {
 public:
  Error(talweg_status status, const char* code, const std::string& message,
        std::string diagnostics = {}, std::string json = {})
      : std::runtime_error(message),
        status_(status),
        code_(code),
        diagnostics_(std::move(diagnostics)),
        json_(std::move(json)) {}
  [[nodiscard]] talweg_status status() const { return status_; }
  /// The status by its name: "OUT_OF_RANGE".
  [[nodiscard]] const std::string& code() const { return code_; }
  /// Of a rule with mistakes, all that the compiler says: lines, marks, ways out; and as JSON
  /// lines.
  [[nodiscard]] const std::string& diagnostics() const { return diagnostics_; }
  [[nodiscard]] const std::string& diagnostics_json() const { return json_; }

 private:
  talweg_status status_;
  std::string code_, diagnostics_, json_;
};

namespace detail {

/// Calls one of the functions of a rule, whose last argument is the error.
template <class... Parameters, class... Arguments>
void call(const talweg_functions* functions, talweg_status (*function)(Parameters...),
          Arguments... arguments) {
  talweg_error error;
  const talweg_status status = function(arguments..., &error);
  if (status != TALWEG_OK) throw Error(status, functions->status_text(status), error.message);
}

[[noreturn]] inline void refuse(const talweg_functions* functions, const std::string& message) {
  throw Error(TALWEG_BAD_ARGUMENT, functions->status_text(TALWEG_BAD_ARGUMENT), message);
}

[[noreturn]] inline void refuse_moved(const std::string& what) {
  throw Error(TALWEG_BAD_ARGUMENT, "BAD_ARGUMENT", what + " is null or was moved from");
}

/// A pointer to float or double that remembers which.
template <class Void>
class ElementPointer {
  template <class T>
  using Like = std::conditional_t<std::is_const_v<Void>, const T, T>;

 public:
  ElementPointer(std::nullptr_t = nullptr) {}                                           // NOLINT
  ElementPointer(Like<float>* data) : data_(data), bytes_(data ? sizeof *data : 0) {}   // NOLINT
  ElementPointer(Like<double>* data) : data_(data), bytes_(data ? sizeof *data : 0) {}  // NOLINT

  [[nodiscard]] Void* data() const { return data_; }
  /// As the elements that it must have; null has any.
  [[nodiscard]] bool fits(std::uint32_t bytes) const { return data_ == nullptr || bytes_ == bytes; }

 private:
  Void* data_ = nullptr;
  std::uint32_t bytes_ = 0;
};

}  // namespace detail

/// float* or double*, as the rule was compiled for.
using Elements = detail::ElementPointer<void>;
using ConstElements = detail::ElementPointer<const void>;

/// How a rule is compiled.
struct CompileOptions {
  bool doubles = false;              // parameters are double, not float
  std::string text;                  // rules of yours that the expression may name
  std::string text_name = "text";    // what messages call them
  std::string file;                  // or a file of them
  std::vector<std::string> folders;  // where modules are looked for
  bool interpreter = false;          // the definition of a rule: the same bits, slowly
  std::string cpu;                   // "x86-64-v3"; empty: what TALWEG_CPU says, or this processor
  std::string cache_folder;          // for compiled code; empty: as for the command talweg
  bool cache = true;                 // false: compile afresh, and keep nothing on disk
};

/// A rule, compiled or of a library. Copies are the same rule; it lives as long as any of them or
/// of its optimizers. One that was moved from may be assigned to or destroyed; all else throws.
class Rule {
 public:
  /// Of a library that `talweg build` made: NAME_rule().
  Rule(const talweg_rule* built) : rule_(built, [](const talweg_rule*) {}) {}  // NOLINT: meant

  [[nodiscard]] std::string name() const { return table().name; }
  [[nodiscard]] bool is_double() const { return table().element_bytes == sizeof(double); }
  /// Hypers, states, inputs and views as JSON; of all rules of a library.
  [[nodiscard]] std::string description() const { return table().description; }
  [[nodiscard]] std::vector<talweg_hyper> hypers() const {
    return list<talweg_hyper>(functions()->rule_hyper);
  }
  [[nodiscard]] std::vector<talweg_part> states() const {
    return list<talweg_part>(functions()->rule_state);
  }
  [[nodiscard]] std::vector<talweg_part> inputs() const {
    return list<talweg_part>(functions()->rule_input);
  }
  [[nodiscard]] std::vector<talweg_part> views() const {
    return list<talweg_part>(functions()->rule_view);
  }
  /// How a step runs, for people; empty for a rule of a library. Needs libtalweg.
  [[nodiscard]] std::string plan() const {
    const char* text = talweg_rule_plan(&table());
    return text == nullptr ? "" : text;
  }
  /// What the compiler warned of.
  [[nodiscard]] const std::string& warnings() const { return warnings_; }
  /// Null if it was moved from.
  [[nodiscard]] const talweg_rule* get() const { return rule_.get(); }
  [[nodiscard]] const talweg_functions* functions() const { return table().functions; }

 private:
  friend Rule compile(const std::string& expression, const CompileOptions& options);
  Rule(const talweg_rule* compiled, std::string warnings)
      : rule_(compiled, [](const talweg_rule* rule) { rule->functions->release(rule); }),
        warnings_(std::move(warnings)) {}

  [[nodiscard]] const talweg_rule& table() const {
    if (!rule_) detail::refuse_moved("the rule");
    return *rule_;
  }
  template <class Part, class Get>
  std::vector<Part> list(Get next) const {
    std::vector<Part> parts;
    Part part;
    for (std::uint32_t i = 0; next(rule_.get(), i, &part) != 0; ++i) parts.push_back(part);
    return parts;
  }

  std::shared_ptr<const talweg_rule> rule_;
  std::string warnings_;
};

/// Compiles a rule or a pipeline of rules. May be called by several threads at once; they wait for
/// each other. The expression may be empty where the text or file declares one rule only.
inline Rule compile(const std::string& expression, const CompileOptions& options = {}) {
  std::vector<const char*> folders;
  for (const std::string& folder : options.folders) folders.push_back(folder.c_str());
  const auto text = [](const std::string& given) {
    return given.empty() ? nullptr : given.c_str();
  };
  talweg_options raw{};
  raw.interface_version = TALWEG_INTERFACE;
  raw.element_bytes = options.doubles ? sizeof(double) : sizeof(float);
  raw.text = text(options.text);
  raw.text_name = text(options.text_name);
  raw.file = text(options.file);
  raw.folders = folders.data();
  raw.folder_count = static_cast<std::uint32_t>(folders.size());
  raw.backend = options.interpreter ? TALWEG_INTERPRETER : TALWEG_MACHINE_CODE;
  raw.cpu = text(options.cpu);
  raw.cache_folder = text(options.cache_folder);
  raw.no_cache = options.cache ? 0 : 1;
  const talweg_rule* rule = nullptr;
  talweg_report* report = nullptr;
  talweg_error error;
  const talweg_status status = talweg_compile(expression.c_str(), &raw, &rule, &report, &error);
  const std::unique_ptr<talweg_report, void (*)(talweg_report*)> owned(report,
                                                                       &talweg_report_destroy);
  if (status != TALWEG_OK)
    throw Error(status, talweg_status_text(status), error.message, talweg_report_text(report),
                talweg_report_json(report));
  return Rule(rule, talweg_report_text(report));
}

}  // namespace talweg

#include "talweg/optimizer.hpp"  // IWYU pragma: export

#endif
