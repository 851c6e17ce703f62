// Whole runs for tests, with a rule written by hand.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/train/session.h"

namespace talweg::train::testing {

/// A file of examples/data.
std::string data_file(const char* name);
std::string contents(const std::filesystem::path& path);
void write(const std::filesystem::path& path, const std::string& text);

/// Settings of a small classifier.
TrainSettings iris(const std::filesystem::path& out);
TrainReport must_train(const TrainSettings& settings, double lr, const Hooks& hooks = {});
/// What train() says when it refuses; `by_check`: check() has to refuse too.
std::string refusal(const TrainSettings& settings, bool by_check = true);

}  // namespace talweg::train::testing
