// See named_tensors.h. Everything is compared before anything is copied.
#include "runtime/checkpoint/named_tensors.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "runtime/checkpoint/message_text.h"

namespace talweg::checkpoint {
namespace {

/// A sentence about several tensors; names the first few.
class Finding {
 public:
  explicit Finding(std::string_view what) : what_(what) {}

  void add(const std::string& tensor) {
    constexpr std::size_t kMaxNamed = 5;
    if (count_++ < kMaxNamed) list_ += (list_.empty() ? "" : ", ") + tensor;
    is_cut_ = count_ > kMaxNamed;
  }
  [[nodiscard]] std::string text() const {
    if (count_ == 0) return "";
    return "\n  " + what_ + " (" + std::to_string(count_) + "): " + list_ +
           (is_cut_ ? ", ..." : "");
  }

 private:
  std::string what_, list_;
  std::size_t count_ = 0;
  bool is_cut_ = false;
};

std::string type_and_shape(TensorType type, const std::vector<std::uint64_t>& shape) {
  return std::string(name(type)) + " " + shape_text(shape);
}

}  // namespace

support::Status match_tensors(const Safetensors& file, std::span<const TensorTarget> targets,
                              const std::string& name) {
  Finding missing("missing"), unexpected("unexpected"), different("different");
  std::unordered_set<std::string_view> known;
  for (const TensorTarget& target : targets) {
    known.insert(target.name);
    const Safetensors::Entry* entry = file.find(target.name);
    if (entry == nullptr)
      missing.add(in_quotes(target.name));
    else if (entry->type != target.type || entry->shape != target.shape)
      different.add(in_quotes(target.name) + " is " + type_and_shape(entry->type, entry->shape) +
                    ", not " + type_and_shape(target.type, target.shape));
  }
  for (const Safetensors::Entry& entry : file.entries())
    if (!known.contains(entry.name)) unexpected.add(in_quotes(entry.name));
  const std::string findings = missing.text() + unexpected.text() + different.text();
  if (findings.empty()) return support::ok();
  return support::Failure{support::FailureKind::Io,
                          name + " does not hold the tensors that are wanted" + findings};
}

void copy_tensors(const Safetensors& file, std::span<const TensorTarget> targets) {
  for (const TensorTarget& target : targets) {
    const std::span<const std::byte> data = file.data(*file.find(target.name));
    if (!data.empty()) std::memcpy(target.data, data.data(), data.size());
  }
}

support::Status load_tensors(const std::filesystem::path& path,
                             std::span<const TensorTarget> targets) {
  const support::Result<Safetensors> file = Safetensors::read(path);
  if (!file) return file.failure();
  if (support::Status matched = match_tensors(*file, targets, path.string()); !matched)
    return matched;
  copy_tensors(*file, targets);
  return support::ok();
}

}  // namespace talweg::checkpoint
