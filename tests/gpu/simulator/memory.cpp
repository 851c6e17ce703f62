#include "tests/gpu/simulator/memory.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace talweg::gpu::simulator {

namespace {

constexpr std::size_t kRecentLines = 8192;
constexpr std::uint64_t kRoom = 512;  // around variables: two lines
constexpr int kSharedPoison = 0xFF;   // floats are NaN: a sum of others does not swallow it

const char* verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::Read:
      return "reads";
    case AccessKind::Write:
      return "writes";
    case AccessKind::AtomicRead:
      return "atomically reads";
    case AccessKind::AtomicWrite:
      return "atomically changes";
  }
  return "";
}

AccessFault fault(const AccessForm& form, std::uintptr_t address, std::uint64_t bytes,
                  const char* what) {
  std::ostringstream text;
  text << verb(form.kind) << ' ' << bytes << " bytes at 0x" << std::hex << address << std::dec
       << ", " << what;
  return {text.str(), std::nullopt};
}

}  // namespace

Memory::Memory(const DeviceMemory& device, const Order& order, bool check_races)
    : device_(device),
      order_(order),
      check_races_(check_races),
      races_(order),
      recent_(kRecentLines, nullptr) {}

void Memory::add(Variable variable) {
  const std::uint64_t alignment = std::max<std::uint64_t>(variable.alignment, 1);
  auto memory = std::make_unique<std::byte[]>(variable.bytes + 2 * kRoom + 4 * alignment);
  // At an odd multiple of its alignment: what relies on more is found.
  const auto first = reinterpret_cast<std::uintptr_t>(memory.get()) + kRoom;
  const std::uintptr_t start = ((first / alignment + 1) | 1u) * alignment;
  variable.memory = memory.get() + (start - reinterpret_cast<std::uintptr_t>(memory.get()));
  variables_.push_back(std::move(variable));
  variable_memory_.push_back(std::move(memory));
}

void Memory::begin_launch(bool stamps_begin_anew) {
  ++launch_;
  races_.begin_launch();
  if (!stamps_begin_anew) return;
  lines_.clear();
  std::fill(recent_.begin(), recent_.end(), nullptr);
}

void Memory::begin_block() {
  for (const Variable& variable : variables_)
    if (variable.space == kShared) std::memset(variable.memory, kSharedPoison, variable.bytes);
}

void Memory::find_bounds(Line& line) const {
  const std::uintptr_t start = line.number << kLineBits;
  line.launch = launch_;
  line.is_constant = false;
  line.begin = 0;
  line.end = 0;
  for (const Variable& variable : variables_) {
    const auto first = reinterpret_cast<std::uintptr_t>(variable.memory);
    if (first >= start + kLineBytes || first + variable.bytes <= start) continue;
    line.space = variable.space;
    line.is_constant = variable.is_constant;
    line.begin = static_cast<std::uint32_t>(first <= start ? 0 : first - start);
    line.end = static_cast<std::uint32_t>(
        std::min<std::uintptr_t>(first + variable.bytes - start, kLineBytes));
    return;
  }
  // Blocks are further apart than a line is long: at most one begins or ends in here.
  const auto holds = [&](std::uint32_t offset, std::uint32_t bytes) {
    return device_.contains(reinterpret_cast<const void*>(start + offset), bytes);
  };
  line.space = kGlobal;
  if (holds(0, kLineBytes)) {
    line.end = kLineBytes;
    return;
  }
  while (line.begin < kLineBytes && !holds(line.begin, 1)) ++line.begin;
  line.end = line.begin;
  while (line.end < kLineBytes && holds(line.end, 1)) ++line.end;
}

Memory::Line& Memory::find_line(std::uintptr_t number) {
  auto& line = lines_[number];
  if (line == nullptr) {
    line = std::make_unique<Line>();
    line->number = number;
  }
  recent_[number % kRecentLines] = line.get();
  return *line;
}

Memory::Line& Memory::line_at(std::uintptr_t address) {
  const std::uintptr_t number = address >> kLineBits;
  Line* line = recent_[number % kRecentLines];
  if (line == nullptr || line->number != number) line = &find_line(number);
  if (line->launch != launch_) find_bounds(*line);
  return *line;
}

void Memory::split(Line& line) {
  std::vector<Cell> cells;
  cells.reserve(kLineBytes);
  for (const Cell& word : line.cells)
    for (int i = 0; i < 4; ++i) cells.push_back(i == 0 ? word : races_.copy(word));
  line.cells = std::move(cells);
  line.is_of_words = false;
}

std::optional<PastAccess> Memory::find_race(Line& line, std::uint32_t offset, std::uint32_t bytes,
                                            PastAccess now) {
  if (line.cells.empty()) line.cells.resize(kLineBytes / 4);
  if (line.is_of_words && ((offset | bytes) & 3u) != 0) split(line);
  const Stamp floor = line.space == kShared ? order_.block_floor() : order_.launch_floor();
  const std::uint32_t shift = line.is_of_words ? 2 : 0;
  Cell* const end = line.cells.data() + ((offset + bytes) >> shift);
  for (Cell* cell = line.cells.data() + (offset >> shift); cell != end; ++cell)
    if (const auto race = races_.access(*cell, now, floor)) return race;
  return std::nullopt;
}

std::optional<AccessFault> Memory::access(std::uintptr_t address, std::uint64_t bytes,
                                          const AccessForm& form, PastAccess now) {
  const bool writes = form.kind == AccessKind::Write || form.kind == AccessKind::AtomicWrite;
  for (std::uint64_t done = 0; done < bytes;) {
    Line& line = line_at(address + done);
    const auto offset = static_cast<std::uint32_t>((address + done) % kLineBytes);
    const auto part =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes - done, kLineBytes - offset));
    if (offset < line.begin || offset + part > line.end)
      return fault(form, address, bytes, "out of bounds");
    if ((form.spaces & line.space) == 0)
      return fault(form, address, bytes, "which is in another state space");
    if (writes && line.is_constant) return fault(form, address, bytes, "which is constant");
    if (check_races_ && !line.is_constant) {
      if (const auto race = find_race(line, offset, part, now)) {
        AccessFault result = fault(form, address, bytes, "a race with");
        result.earlier = race;
        return result;
      }
    }
    done += part;
  }
  return std::nullopt;
}

std::uint8_t Memory::space_of(std::uintptr_t address) {
  const Line& line = line_at(address);
  const auto offset = static_cast<std::uint32_t>(address % kLineBytes);
  return offset < line.begin || offset >= line.end ? 0 : line.space;
}

}  // namespace talweg::gpu::simulator
