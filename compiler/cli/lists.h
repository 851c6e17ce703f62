// Options that take a list with commas in between: --start=-1.5,2.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace talweg::cli {

/// What stands between commas, empty or not: CLI11's own delimiter drops what is empty.
std::vector<std::string> split_at_commas(const std::vector<std::string>& lists);

/// The same of what `option` was given; refuses empty entries.
std::vector<std::string> filled_entries(const std::string& option,
                                        const std::vector<std::string>& lists);

/// Declares an option for a list of numbers, in one argument or several.
template <class Number>
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<Number>& into,
                      const std::string& description) {
  const auto read = [&into, name](const CLI::results_t& lists) {
    std::vector<Number> numbers;
    for (const std::string& entry : filled_entries(name, lists))
      if (!CLI::detail::lexical_cast(entry, numbers.emplace_back()))
        throw CLI::ValidationError(name, "'" + entry +
                                             (std::is_integral_v<Number> ? "' is not a whole number"
                                                                         : "' is not a number"));
    into = std::move(numbers);
    return true;
  };
  return app.add_option(name, CLI::callback_t(read), description)
      ->expected(CLI::detail::expected_max_vector_size)
      ->type_name(CLI::detail::type_name<Number>());
}

}  // namespace talweg::cli
