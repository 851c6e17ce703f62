// Values per matrix, row and column: what they become, where they exist, and how tensors are split.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;
using test::typed;

namespace {

/// A rule with a state of each of these rates around the statements of a step.
std::string rule_of(const std::string& statements, const std::string& declarations = {}) {
  return "rule R {\n" + declarations +
         "\n  hyper lr = 0.1\n  state row r\n  state col c\n  state matrix k\n  state m = 0\n  "
         "state n\n"
         "  step {\n    if rank >= 2 { r = lr * rows + mean(grad) per row\n"
         "    c = lr * cols + mean(grad) per col\n    k = norm(grad) per matrix\n"
         "    n = 0.9 * n + r * c * k }\n" +
         statements + "\n    update = grad + m + n\n  }\n}\n";
}

/// The same under a condition.
std::string under(const std::string& condition, const std::string& statements = "r = 1") {
  return rule_of("if " + condition + " { " + statements + " }");
}

/// A rule whose whole step needs matrices.
std::string needing(const std::string& name, const std::string& declarations) {
  return "rule " + name + " {\n" + declarations +
         "\n step { update = grad / (1 + norm(grad) per row) }\n}\n";
}

}  // namespace

TEST_CASE("states, reductions and extents of matrices, rows and columns") {
  CHECK(typed(R"(
rule Factored {
  hyper lr    = 0.1
  hyper beta2 = 0.99
  matrix (last two)
  state row r
  state col c = lr
  state v
  step {
    let g2 = grad^2
    let u = if rank >= 2 then {
      r = beta2 * r + (1 - beta2) * mean(g2) per row
      c = beta2 * c + mean(g2) per col / cols
      grad * rsqrt(r / mean(r) per matrix) * rsqrt(c)
    } else {
      v = beta2 * v + g2
      grad * rsqrt(v)
    }
    update = lr * u / max(1, norm(u) per tensor)
  }
}
)",
              "Factored") == R"(
rule Factored
  matrix (last two)
  hyper lr: group number = 0.1
  hyper beta2: group number = 0.99
  state r: row
  state c: col = lr:group
  state v: element
  stage factored = Factored
    step
      g2 = (grad:element ^ 2):element
      u = (if (rank:tensor >= 2):tensor then { r = ((beta2:group * r:row):row + ((1 - beta2:group):group * (mean(g2:element) per row over element):row):row):row; c = ((beta2:group * c:col):col + ((mean(g2:element) per col over element):col / cols:tensor):col):col; ((grad:element * rsqrt((r:row / (mean(r:row) per matrix over row):matrix):row):row):element * rsqrt(c:col):col):element }:element else { v = ((beta2:group * v:element):element + g2:element):element; (grad:element * rsqrt(v:element):element):element }:element):element
      update = ((lr:group * u:element):element / max(1, (norm(u:element) per tensor over element):tensor):tensor):element
  param -= update
)");
}

TEST_CASE("a row with a column is per element, and each reduces to what is slower") {
  CHECK(codes_of(under("rank >= 2", "m = r * c")).empty());
  CHECK(codes_of(under("rank >= 2", "r = c")) == "TW0303");
  CHECK(codes_of(under("rank >= 2", "r = grad")) == "TW0303");
  CHECK(codes_of(under("rank >= 2", "r = sum(c * grad) per row + k + lr + rank")).empty());
  CHECK(codes_of(under("rank >= 2", "r = sum(c) per row")) == "TW0321");
  CHECK(codes_of(under("rank >= 2", "c = sum(r) per col")) == "TW0321");
  CHECK(codes_of(under("rank >= 2", "r = sum(k) per row")) == "TW0321");
  CHECK(codes_of(under("rank >= 2", "r = sum(r) per row")) == "TW0321");
  CHECK(codes_of(under("rank >= 2", "k = sum(lr) per matrix")) == "TW0321");
  CHECK(codes_of(under("rank >= 2", "k = max(r) per matrix + min(c) per matrix")).empty());
  CHECK(codes_of(under("rank >= 2", "m = sum(r) per tensor + sum(k) per tensor")).empty());
  CHECK(codes_of(under("rank >= 2", "k = sum(r) per tensor")).empty());
  CHECK(codes_of(under("rank >= 2", "k = r")) == "TW0303");
  for (const char* call : {"sum(grad)", "mean(grad)", "min(grad)", "max(grad)", "norm(grad)",
                           "dot(grad, c)", "count(grad > 0)"})
    for (const char* rate : {"matrix", "row", "col"}) {
      INFO(call << " per " << rate);
      CHECK(codes_of(under("rank >= 2", std::string("m = ") + call + " per " + rate)).empty());
    }
}

TEST_CASE("conditions around values of matrices") {
  CHECK(codes_of(under("rank >= 2", "if r > 0 { r = sum(grad) per row }")).empty());
  CHECK(codes_of(under("rank >= 2", "if r > 0 { c = 1 }")) == "TW0304");
  CHECK(codes_of(under("rank >= 2", "if r > 0 { c = sum(grad) per col }")) == "TW0322");
  CHECK(codes_of(under("rank >= 2", "if any(grad > 0) per matrix { r = 1 }")).empty());
  CHECK(codes_of(under("rank >= 2", "m = sum(r) per model")) == "TW0322");
}

TEST_CASE("rows, columns and matrices exist where the rank is known to be 2 or more") {
  for (const char* condition :
       {"rank >= 2", "rank > 1", "rank == 2", "rank == 4", "2 <= rank", "1 < rank", "rank >= 3",
        "rank > 1 and lr > 0", "lr > 0 and rank > 1", "not (rank < 2)", "not (rank <= 1 or lr > 0)",
        "rank == 2 or rank == 3", "rank - 1 > 0", "rank > 1 and size > 4", "rank^2 > 3"}) {
    INFO(condition);
    CHECK(codes_of(under(condition)).empty());
  }
  for (const char* condition : {"rank >= 1", "rank > 0", "rank != 2", "rank == 1", "rank < 3",
                                "rank > 1 or lr > 0", "size > 4", "lr > 0", "rank == 0"}) {
    INFO(condition);
    CHECK(codes_of(under(condition)) == "TW0324");
  }
  CHECK(codes_of(rule_of("if rank < 2 { m = 1 } else { r = 1 }")).empty());
  CHECK(codes_of(rule_of("if rank <= 1 { m = 1 } else { r = 1 }")).empty());
  CHECK(codes_of(rule_of("if rank < 2 { r = 1 }")) == "TW0324");
  CHECK(codes_of(rule_of("if rank >= 2 { m = 1 } else { r = 1 }")) == "TW0324");
  CHECK(codes_of(rule_of("if rank > 0 { if rank != 1 { r = 1 } }")).empty());
  CHECK(codes_of(rule_of("m = if rank > 1 then r * grad else grad")).empty());
  CHECK(codes_of(rule_of("m = if rank > 1 and m > 0 then r else grad")).empty());
  CHECK(codes_of(rule_of("let is_matrix = rank >= 2\nif is_matrix { r = 1 }")).empty());
  CHECK(codes_of(rule_of("let is_vector = rank < 2\nif not is_vector { r = 1 }")).empty());
  CHECK(codes_of("fn folds(dims) = dims > 1\n" + rule_of("if folds(rank) { r = 1 }")).empty());
  CHECK(codes_of(rule_of("var is_matrix = rank >= 2\nis_matrix = t > 2\n"
                         "if is_matrix { r = 1 }")) == "TW0324");
}

TEST_CASE("everything that uses them is refused elsewhere, once for a statement") {
  for (const char* statement :
       {"m = r", "m = c", "m = k", "m = rows", "m = cols", "r = 1", "k += 1", "c = c + 1",
        "m = norm(grad) per row", "m = sum(grad) per col",
        "m = sum(sum(grad) per matrix) per model", "r = r + mean(grad) per row", "let _a = r",
        "if r > 0 { m = 1 }", "m = previous(r)"}) {
    INFO(statement);
    CHECK(codes_of(rule_of(statement)) == "TW0324");
  }
  CHECK(codes_of(rule_of("m = r\nm = m + c")) == "TW0324 TW0324");
}

TEST_CASE("what leaves the branch is a value that every tensor has") {
  CHECK(codes_of(rule_of("m = if rank > 1 then r else 1")) == "TW0324");
  CHECK(codes_of(rule_of("m = if rank > 1 then k else 1")) == "TW0324");
  CHECK(codes_of(rule_of("m = if rank > 1 then max(r) per tensor else 1")).empty());
  CHECK(codes_of(rule_of("m = if rank > 1 then rows else 1")).empty());
  CHECK(codes_of(rule_of("var x = 0\nif rank > 1 { x = r }\nm = x")) == "TW0324");
  CHECK(codes_of(rule_of("var x = grad\nif rank > 1 { x = r }\nm = x")).empty());
  CHECK(codes_of(rule_of("var x = 0\nif rank > 1 { x = r\nm = x * grad }")).empty());
  CHECK(codes_of(rule_of("if rank > 1 { m = r * grad } else { m = grad }")).empty());
  CHECK(codes_of(rule_of("if rank > 1 { let x = previous(r)\nm = x * grad }")).empty());
}

TEST_CASE("require and when choose the tensors that have matrices") {
  for (const char* condition : {"rank >= 2", "rank == 2", "rank > 1 and size > 4"})
    CHECK(codes_of(needing("R", std::string(" require ") + condition)).empty());
  CHECK(codes_of(needing("R", " require rank > 0\n require rank != 1")).empty());
  CHECK(codes_of(needing("R", "")) == "TW0324");
  CHECK(codes_of(needing("R", " require rank <= 2")) == "TW0324");

  // A rule that is checked by itself serves all tensors; in an arm it serves those of the arm.
  test::Session session;
  session.add("m", needing("A", "") + "rule S { step { update = grad } }\n");
  for (const char* recipe :
       {"rule R { when rank > 1: A\n otherwise: S }", "rule R { when rank < 2: S\n otherwise: A }",
        "rule R { when rank == 0: S\n when rank == 1: S\n when size > 3: A }",
        "rule R { require rank >= 2\n pipeline A | S }",
        "rule R { hyper lr = 1\n when rank > 1: S | A\n otherwise: S }"}) {
    INFO(recipe);
    test::Session one;
    one.add("m",
            "rule S { step { update = grad } }\n" + std::string(recipe) + "\n" + needing("A", ""));
    CHECK(one.resolve("R", "m"));
    CHECK(one.codes().empty());
  }
  for (const char* recipe :
       {"rule R { when rank > 1: S\n otherwise: A }", "rule R { when rank > 0: A\n otherwise: S }",
        "rule R { when rank < 2: A\n otherwise: S }", "rule R { pipeline A | S }"}) {
    INFO(recipe);
    test::Session one;
    one.add("m",
            "rule S { step { update = grad } }\n" + std::string(recipe) + "\n" + needing("A", ""));
    CHECK(!one.resolve("R", "m"));
    CHECK(one.codes() == "TW0324");
  }
}

TEST_CASE("rows and cols in conditions, views and functions") {
  CHECK(codes_of("rule S { step { update = grad } }\n"
                 "rule R { when rank >= 2 and rows > 8: S\n when rank < 2 or cols > 3: S }")
            .empty());
  CHECK(codes_of("rule S { step { update = grad } }\nrule R { when rows > 8: S }") == "TW0324");
  CHECK(codes_of("rule S { step { update = grad } }\n"
                 "rule R { when rank < 2: S\n when rows > cols: S }")
            .empty());
  CHECK(codes_of("rule R { require rank >= 2\n require rows <= cols\n step { update = grad } }")
            .empty());
  CHECK(codes_of("rule R { require rows <= cols\n step { update = grad } }") == "TW0324 TW0324");
  CHECK(codes_of(rule_of("if rank >= 2 and rows > cols { r = 1 }")).empty());
  CHECK(codes_of(rule_of("if rank >= 2 and k > 1 { r = 1 }")) == "TW0324");
  CHECK(codes_of("rule R { state m\n step { m = grad\n update = m }\n"
                 " view v = if rank >= 2 then m / rows else m }")
            .empty());
  CHECK(codes_of("rule R { state m\n step { m = grad\n update = m }\n view v = m / rows }") ==
        "TW0324");
  CHECK(codes_of("fn f(x) = x / rows") == "TW0224");
  CHECK(codes_of("fn f(x) = x / norm(x) per row").empty());
  CHECK(codes_of("fn f(x) = x / norm(x) per row\n" + rule_of("m = f(grad)")) == "TW0324");
  CHECK(codes_of("fn f(x) = x / norm(x) per row\n" + under("rank == 2", "m = f(grad)")).empty());
  CHECK(codes_of(rule_of("rows = 1")) == "TW0316");
  CHECK(codes_of(rule_of("let cols = 1")) == "TW0205");
}

TEST_CASE("inputs of rows, columns and matrices are read where there are such") {
  for (const char* rate : {"matrix", "row", "col"}) {
    const std::string input = std::string("  input ") + rate + " x\n";
    CHECK(codes_of(rule_of("update = x * grad", input)) == "TW0324");
    CHECK(codes_of("rule R {" + input +
                   "step { if rank >= 2 { update = x * grad } else { update = "
                   "grad } } }")
              .empty());
    CHECK(codes_of("rule R {" + input +
                   "require rank >= 2\n step { x = 1\n update = x * grad } }") == "TW0316");
    CHECK(codes_of("rule R {" + input + "step { update = if given(x) then grad else 2 * grad } }")
              .empty());
    CHECK(codes_of("rule R {" + input +
                   "require rank >= 2\n state tensor s\n"
                   " step { s = x\n update = s * grad } }") == "TW0303");
    CHECK(codes_of("rule R {" + input +
                   "require rank >= 2\n step { update = grad }\n"
                   " view v = x * param }") == "TW0224");
  }
  CHECK(codes_of("rule R { input row r\n input col c\n require rank >= 2\n state row s\n"
                 " step { s = r * c\n update = s * grad } }") == "TW0303");
}

TEST_CASE("views of rows, columns and matrices, where tensors have them") {
  for (const char* rate : {"row", "col", "matrix"}) {
    const std::string head = std::string("rule R { state ") + rate +
                             " s\n step { if rank >= 2 { s = mean(grad) per " + rate +
                             "\n grad *= s } }\n ";
    for (const char* view :
         {"require rank >= 2\n view v = s", "require rank > 1\n view v = param * s",
          "view v = if rank >= 2 then param * s else param",
          "view v = if rank < 2 then 1 else param - max(s) per tensor"})
      CHECK(codes_of(head + view + " }").empty());
    for (const char* view :
         {"view v = s", "view v = param * s", "view v = max(s) per tensor",
          "view v = if rank >= 1 then param * s else param", "view v = if rank >= 2 then s else 0"})
      CHECK(codes_of(head + view + " }") == "TW0324");
  }
}

TEST_CASE("states of rows, columns and matrices begin as constants or from hypers") {
  CHECK(
      codes_of("rule R { require rank > 1\n state row r = param\n step { update = r * grad } }") ==
      "TW0303");
  CHECK(codes_of("rule R { hyper a = 1\n require rank > 1\n state row r = 2 * a\n"
                 " step { update = r * grad } }")
            .empty());
}

TEST_CASE("the split of a pipeline is that of the rules that use it") {
  const auto split = [](const std::string& rules) {
    test::Session session;
    session.add("m", rules);
    const auto rule = session.resolve("R", "m");
    INFO(session.text());
    REQUIRE(rule);
    return rule->split;
  };
  using types::Split;
  const std::string plain = "rule S { step { update = grad } }\n";
  CHECK(split("rule R { step { update = grad } }") == std::nullopt);
  CHECK(split("rule R { matrix (last two)\n step { update = grad } }") == std::nullopt);
  CHECK(split(needing("R", " require rank > 1")) == Split::FirstRest);
  CHECK(split(needing("R", " matrix (0 | rest)\n require rank > 1")) == Split::FirstRest);
  CHECK(split(needing("R", " matrix (last two)\n require rank > 1")) == Split::LastTwo);
  CHECK(split(needing("R", " matrix (two largest)\n require rank > 1")) == Split::TwoLargest);
  CHECK(split(plain + needing("A", " matrix (last two)\n require rank > 1") + "rule R = A | S") ==
        Split::LastTwo);
  CHECK(split(plain + "rule R { require rank > 1\n matrix (two largest)\n when rows > 2: S }") ==
        Split::TwoLargest);
  CHECK(split("rule R { hyper const k = 0\n matrix (last two)\n require rank > 1\n"
              " step { update = if k > 1 then grad / rows else grad } }") == std::nullopt);

  const std::string last = needing("A", " matrix (last two)\n require rank > 1");
  CHECK(codes_of(last + needing("B", " require rank > 1") + "rule R = A | B") == "TW0418");
  CHECK(codes_of(last + needing("B", " matrix (last two)\n require rank > 1") + "rule R = A | B")
            .empty());
  CHECK(codes_of(last + needing("B", " matrix (two largest)\n require rank > 1") +
                 "rule R { when rank > 2: A\n otherwise: B }") == "TW0418");
}

TEST_CASE("how a split is declared") {
  CHECK(codes_of(needing("R", " matrix (rest | 0)\n require rank > 1")) == "TW0417");
  CHECK(codes_of(needing("R", " matrix (first two)\n require rank > 1")) == "TW0417");
  CHECK(codes_of(needing("R", " matrix (last two)\n matrix (last two)\n require rank > 1")) ==
        "TW0401");
  CHECK(codes_of("rule R { matrix (last two)\n step { update = grad } }") == "TW0711");
  CHECK(codes_of("rule R { hyper const k = 0\n matrix (last two)\n require rank > 1\n"
                 " step { update = if k > 1 then grad / rows else grad } }")
            .empty());
}

TEST_CASE("states per row and column are warned about as states per element are") {
  CHECK(codes_of("rule R { require rank > 1\n state row r\n state matrix k\n"
                 " step { r = 1\n k = 1\n update = grad } }") == "TW0701");
  CHECK(codes_of("rule R { require rank > 1\n state col c\n"
                 " step { c = 0.5 * c + mean(grad) per col\n update = grad } }") == "TW0707");
}
