// Progress lines that fit the terminal and never flood a log.
#include "runtime/train/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace talweg::train {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::size_t kBarColumns = 24;
constexpr std::uint64_t kPlainLines = 10;
constexpr double kPercent = 100;

std::string epoch_text(const EpochRecord& record, std::uint64_t epochs) {
  std::string text =
      fmt::format("epoch {}/{}  loss {:.4g}", record.epoch, epochs, record.running_loss);
  if (record.validation_loss) text += fmt::format("  validation {:.4g}", *record.validation_loss);
  if (record.validation_accuracy) {
    text += fmt::format("  accuracy {:.1f} %", kPercent * *record.validation_accuracy);
  }
  return text;
}

}  // namespace

Progress::Progress(const Hooks& hooks, std::uint64_t epochs, std::uint64_t steps)
    : hooks_(hooks), epochs_(epochs), steps_(steps) {}

std::string Progress::bar() const {
  const double done =
      steps_ > 0 ? static_cast<double>(last_step_.step) / static_cast<double>(steps_) : 0;
  const auto filled = std::min(kBarColumns, static_cast<std::size_t>(done * kBarColumns));
  return fmt::format("[{}{}]", std::string(filled, '='), std::string(kBarColumns - filled, ' '));
}

std::string Progress::time_left() const {
  if (last_step_.step == 0 || steps_ <= last_step_.step) return {};
  const double spent = std::chrono::duration<double>(Clock::now() - start_).count();
  const double left =
      spent * static_cast<double>(steps_ - last_step_.step) / static_cast<double>(last_step_.step);
  if (left < 1) return {};
  const auto seconds = static_cast<std::uint64_t>(left);
  return fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
}

std::string Progress::line() const {
  const std::size_t columns = std::max(1U, hooks_.terminal_columns) - 1;
  std::string text;
  if (last_epoch_) {
    text = epoch_text(*last_epoch_, epochs_);
  } else {
    text = fmt::format("epoch {}/{}  loss {:.4g}", last_step_.epoch, epochs_, last_step_.loss);
  }
  if (const std::string left = time_left(); text.size() + left.size() <= columns) text += left;
  const std::string drawn_bar = bar();
  if (text.size() + 2 + drawn_bar.size() <= columns) text = drawn_bar + "  " + text;
  return text.substr(0, columns);
}

void Progress::redraw() {
  drawn_ = Clock::now();
  has_drawn_ = true;
  hooks_.write_progress("\r" + line() + "\x1b[K");
}

void Progress::on_step(const StepRecord& record) {
  last_step_ = record;
  if (!hooks_.write_progress || !hooks_.progress_is_terminal) return;
  if (!has_drawn_ || Clock::now() - drawn_ >= kRedrawEvery) redraw();
}

void Progress::on_epoch(const EpochRecord& record) {
  last_epoch_ = record;
  if (!hooks_.write_progress) return;
  if (hooks_.progress_is_terminal) {
    if (record.epoch == epochs_ || Clock::now() - drawn_ >= kRedrawEvery) redraw();
    return;
  }
  const std::uint64_t due =
      epochs_ <= kPlainLines ? record.epoch : 1 + (record.epoch - 1) * kPlainLines / epochs_;
  if (due == lines_ && record.epoch != epochs_) return;
  lines_ = due;
  hooks_.write_progress(epoch_text(record, epochs_) + "\n");
}

void Progress::finish() {
  if (!hooks_.write_progress || !hooks_.progress_is_terminal || !has_drawn_) return;
  redraw();
  hooks_.write_progress("\n");
}

}  // namespace talweg::train
