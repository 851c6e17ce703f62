// The entries of the layer: checking a module, resolving a pipeline, evaluating a constant.
#include "compiler/sema/check.h"

#include <fmt/format.h>

#include "compiler/base/check.h"
#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

/// Checks the declarations of one module one after the other; they share the work that is allowed.
class ModuleCheck {
 public:
  ModuleCheck(Modules::Impl& modules, LoadedModule& module) : modules_(modules), module_(module) {}

  void operator()(const syntax::ImportDecl&) {}  // linking did it

  void operator()(const syntax::KernelDecl& decl) {
    modules_.reporter.report(DiagnosticKind::KernelsLater, decl.span);
  }

  void operator()(const syntax::FnDecl& decl) {
    with_checker(decl.name, "function", [&](Checker& checker) {
      checker.function_alone(module_, decl);
      if (!modules_.reporter.failed()) checker.warn_of_unused();
    });
  }

  void operator()(const syntax::ConstDecl& decl) {
    with_checker(decl.name, "constant", [&](Checker& checker) {
      checker.module_constant({&module_, &decl}, decl, decl.name.span);
    });
  }

  void operator()(const syntax::RuleDecl& decl) {
    PipelineChecker checker(modules_, work_);
    checker.rule_alone(module_, decl, true);
    work_ = checker.total_work();
  }

 private:
  template <class Work>
  void with_checker(const syntax::Name& name, std::string_view sort, Work work) {
    RuleBuilder builder;
    Checker checker(modules_, builder);
    checker.add_earlier_work(work_);
    checker.begin_unit(fmt::format("{} `{}`", sort, name.text), name.span);
    work(checker);
    work_ = checker.total_work();
  }

  Modules::Impl& modules_;
  LoadedModule& module_;
  std::uint32_t work_ = 0;
};

void begin(Modules::Impl& modules) {
  modules.reporter.begin();
  modules.in_circles.clear();
}

/// A module for text that stands outside every file, seen from `from_module`.
LoadedModule loose_module(Modules::Impl& modules, const std::string& from_module,
                          const syntax::Module& tree) {
  LoadedModule module;
  module.name = "the command";
  module.tree = &tree;
  module.parent = from_module.empty() ? nullptr : modules.added_module(from_module);
  module.searches_modules = true;
  TALWEG_CHECK(from_module.empty() || module.parent, "a module that was never added");
  return module;
}

}  // namespace

ModuleNames declared_names(const syntax::Module& module) {
  ModuleNames names;
  for (const syntax::Decl& decl : module.decls) {
    if (const auto* rule = std::get_if<syntax::RuleDecl>(&decl)) {
      names.rules.push_back(rule->name.text);
      for (const syntax::ViewDecl& view : rule->views)
        names.views.push_back(rule->name.text + "." + view.name.text);
    }
    if (const auto* fn = std::get_if<syntax::FnDecl>(&decl))
      names.functions.push_back(fn->name.text);
  }
  return names;
}

bool check_module(Modules& modules, const std::string& module_name) {
  Modules::Impl& impl = modules.impl();
  begin(impl);
  LoadedModule* module = impl.added_module(module_name);
  TALWEG_CHECK(module, "a module that was never added");
  impl.link(*module);
  ModuleCheck check(impl, *module);
  for (const syntax::Decl& decl : module->tree->decls)
    if (!impl.reporter.stopped()) std::visit(check, decl);
  return !impl.reporter.failed();
}

std::optional<TypedRule> resolve_pipeline(Modules& modules, const std::string& from_module,
                                          const syntax::Module& pipeline) {
  Modules::Impl& impl = modules.impl();
  begin(impl);
  LoadedModule scope = loose_module(impl, from_module, pipeline);
  for (const syntax::Decl& decl : pipeline.decls)
    if (const auto* rule = std::get_if<syntax::RuleDecl>(&decl))
      return PipelineChecker(impl, 0).pipeline(scope, *rule);
  return std::nullopt;
}

std::optional<double> evaluate_constant(Modules& modules, const std::string& from_module,
                                        const syntax::Module& module, syntax::ExprId expression) {
  Modules::Impl& impl = modules.impl();
  begin(impl);
  LoadedModule scope = loose_module(impl, from_module, module);
  RuleBuilder builder;
  Checker checker(impl, builder);
  if (expression.valid()) checker.begin_unit("this expression", module[expression].span);
  Frame frame{.module = &scope, .place = Place::Constant};
  const Value value = checker.constant_in(frame, expression, "this expression");
  if (value.is_list()) checker.expect_kind(value, Kind::Number, "this expression");
  if (impl.reporter.failed() || !value.is_scalar()) return std::nullopt;
  return value.constant;
}

}  // namespace talweg::sema
