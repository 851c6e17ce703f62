#include "tests/gpu/simulator/sites.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instruction.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include <iterator>

namespace talweg::gpu::simulator {

Sites::Sites(const llvm::Module& module) {
  Place place;
  for (const llvm::Function& function : module) {
    place.instruction = 0;
    for (const llvm::Instruction& instruction : llvm::instructions(function)) {
      places_[&instruction] = place;
      ++place.instruction;
    }
    ++place.function;
  }
}

std::uint32_t Sites::add(const llvm::Instruction& instruction, const AccessForm& form) {
  if (forms_.size() == kMostSites) throw Fault("the module is too large to be instrumented");
  site_places_.push_back(places_.at(&instruction));
  forms_.push_back(form);
  return static_cast<std::uint32_t>(forms_.size() - 1);
}

std::string Sites::text(const llvm::Module& module, std::uint32_t site) const {
  const Place place = site_places_.at(site);
  const llvm::Function& function = *std::next(module.begin(), place.function);
  return instruction_text(*std::next(llvm::inst_begin(function), place.instruction));
}

std::string instruction_text(const llvm::Instruction& instruction) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  instruction.print(stream);
  const std::size_t first = text.find_first_not_of(' ');
  return "in " + instruction.getFunction()->getName().str() + ": " +
         (first == std::string::npos ? text : text.substr(first));
}

}  // namespace talweg::gpu::simulator
