// Rules with matrices, rows and columns, for tests of generated code.
#pragma once

#include <string>

namespace talweg::tests {

/// States that keep what every reduction to `LINE` gives, and their assignments.
inline constexpr const char* kKeptOfLines = R"(
  state LINE LINE_sum
  state LINE LINE_mean
  state LINE LINE_min = 9
  state LINE LINE_max
  state LINE LINE_count
  state LINE LINE_any
  state LINE LINE_all
  state LINE LINE_norm
  state LINE LINE_dot
)";
inline constexpr const char* kFoldsToLines = R"(
      LINE_sum = 0.5 * LINE_sum + (sum(grad) per LINE)
      LINE_mean = LINE_mean / 4 + (mean(grad * param) per LINE)
      LINE_min = min(LINE_min, min(grad) per LINE)
      LINE_max = (LINE_max - 1) / 2 + (max(grad) per LINE)
      LINE_count += count(grad > 0) per LINE
      LINE_any = 2 * LINE_any + (if any(grad > 0.9) per LINE then 1 else 0)
      LINE_all = 2 * LINE_all + (if all(grad < 0.9) per LINE then 1 else 0)
      LINE_norm = max(LINE_norm, norm(grad) per LINE)
      LINE_dot -= dot(grad, param) per LINE
)";

/// Other rules of module `m`, with `SPLIT` where a rule says how it splits tensors.
inline constexpr const char* kLinedRules = R"(
/// Of values of rows, columns and matrices: reductions to every slower rate.
rule Upward {
  require rank >= 2
  matrix (SPLIT)
  state matrix m_row
  state tensor t_row
  state group g_row
  state model a_row = 1
  state matrix m_col
  state tensor t_col
  state group g_col
  state model a_col = 1
  state matrix m_dot
  state tensor t_mat
  state group g_mat
  state model a_mat = 1
  state matrix m_any
  state tensor t_all
  state group g_any
  state model both
  step {
    let r = mean(grad^2) per row
    let c = max(abs(grad)) per col
    let m = norm(grad) per matrix
    m_row += mean(r) per matrix
    m_col = min(c) per matrix
    m_dot = 0.5 * m_dot + (dot(r, r / (1 + m)) per matrix)
    m_any += if any(c > 0.99) per matrix then 1 else 0
    t_row = norm(r) per tensor
    t_col += count(c > 0.5) per tensor
    t_mat = 0.5 * t_mat + (sum(m) per tensor)
    t_all += if all(r < m) per tensor then 1 else 0
    g_row += sum(r) per group
    g_col = max(c * rows) per group
    g_mat = 0.5 * g_mat + (mean(m) per group)
    g_any += if any(r > 1) per group then 1 else 0
    a_row = 0.5 * a_row + (mean(r) per model)
    a_col = norm(c) per model
    a_mat = max(a_mat, max(m) per model)
    both = 0.5 * both + (dot(c, c + 1) per model)
    update = 0.1 * grad * (a_row + a_mat + t_row) / (1 + m_dot + g_row * r)
  }
}
rule Plain {
  state s
  step {
    s = 0.5 * s + grad
    update = s
  }
}
rule Mixed {
  matrix (SPLIT)
  when rank >= 2 and cols > 1: Upward
  otherwise: Plain
}

/// After Adafactor: vectors have one average an element.
rule Factored {
  hyper lr = 0.01 in [0, inf)
  hyper beta2 = 0.75 in [0, 1)
  hyper floor = 1e-30 in (0, inf)
  hyper limit = 1 in (0, inf)
  matrix (SPLIT)
  state row across
  state col down
  state v
  step {
    let square = grad^2 + floor
    let u = if rank >= 2 then {
      across = beta2 * across + (1 - beta2) * mean(square) per row
      down = beta2 * down + (1 - beta2) * mean(square) per col
      grad * rsqrt(across / mean(across) per matrix) * rsqrt(down)
    } else {
      v = beta2 * v + (1 - beta2) * square
      grad * rsqrt(v)
    }
    update = lr * u / max(1, sqrt(mean(u^2) per tensor) / limit)
  }
}

/// Each reduction needs the one before.
rule Chain {
  require rank >= 2
  matrix (SPLIT)
  state s
  state row slow = 2
  state col largest
  state matrix count = 1
  step {
    let a = grad / (1e-3 + norm(grad) per row)
    let b = a / (1e-3 + norm(a) per col)
    let d = b - (mean(b) per matrix)
    largest = max(largest, max(d) per col)
    slow = 0.9 * slow + (mean(d * d) per row) * count
    count += 1
    s = 0.5 * s + slow * largest
    update = d + s / sqrt(rows / cols)
  }
}
rule Chains {
  when rank >= 2: Chain
  otherwise: Plain
}

/// The longest row decides whether the step is skipped.
rule Guarded {
  require rank >= 2
  hyper model limit = 3 in (0, inf)
  matrix (SPLIT)
  state row tries
  state row before
  state col down
  state matrix mean_length
  step {
    tries += 1 + (sum(grad) per row)
    let length = norm(grad) per row
    let longest = max(length) per model
    skip if longest > limit
    before = 0.5 * before + length
    down += mean(grad) per col
    mean_length += mean(length) per matrix
    update = grad / (1 + before + down^2 + mean_length)
  }
}

/// Rows, columns and matrices within branches, of every rate, and arms that share stages.
rule Chosen {
  require rank >= 2
  hyper lr = 0.1 in [0, inf)
  hyper bool keeps = true
  matrix (SPLIT)
  state row a = 1
  state col b
  state matrix c
  state w
  step {
    if a > 1 {
      a = a * 0.5
    } else {
      a = a + 1 + (max(if a > 1 then grad else param) per row)
    }
    if keeps {
      b = -b + rows / 2 * (min(grad * a) per col)
    } else {
      b = 1
    }
    if t > 1 {
      c = (max(abs(b)) per matrix) + c
    }
    w = if a * b > 0 then w + grad else c
    grad = grad - (mean(grad) per row) - (mean(grad) per col) + (mean(grad) per matrix)
    let n = norm(grad) per row
    if n > 0.001 * lr {
      grad = grad / n
    }
    update = grad + if b == 0 then a else b
  }
  after {
    param = param - 0.001 * (mean(param) per col) * (if a < 2 then a else 1)
  }
}
rule Longer {
  matrix (SPLIT)
  state m
  step {
    m = 0.9 * m + grad
    if rank >= 2 {
      if rows > cols {
        m = m / (1 + norm(m) per col)
      } else {
        m = m / (1 + norm(m) per row)
      }
    }
    update = m / (1 + norm(m) per model)
  }
}
rule Arms {
  matrix (SPLIT)
  when rank >= 2 and rows > 10: Chosen | Longer
  otherwise: Longer
}

/// Of what the caller gives for rows, columns and matrices.
rule Supplied {
  matrix (SPLIT)
  input row r
  input col c
  input matrix m
  input row bonus
  state row across = 1
  state col down
  state matrix whole
  state tensor most
  state model peak
  step {
    let u = if rank >= 2 then {
      across = 0.5 * across + r
      down += c * m
      whole = 0.5 * whole + m * (mean(grad) per matrix) + (mean(r * across) per matrix)
      most = max(most, max(c + m) per tensor)
      let extra = if given(bonus) then bonus else 0.25
      grad * (r + extra) * across + c * down - m * whole
    } else { grad }
    peak = max(abs(u)) per model
    update = 0.1 * u / (1 + most)
  }
}

/// Small: for tensors with many elements.
rule Few {
  matrix (SPLIT)
  state row across
  step {
    let u = if rank >= 2 then {
      across += max(grad) per row
      grad * across + (sum(grad) per col)
    } else { grad }
    update = 0.1 * u
  }
}
)";

inline std::string with(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// The module with a split of rules: "0 | rest", "last two" or "two largest".
inline std::string lined_rules(const std::string& split) {
  std::string states, folds;
  for (const char* line : {"row", "col", "matrix"}) {
    states += with(kKeptOfLines, "LINE", line);
    folds += with(kFoldsToLines, "LINE", line);
  }
  return with("rule Every {\n  matrix (SPLIT)\n" + states + "  step {\n    var u = grad\n" +
                  "    if rank >= 2 {\n" + folds +
                  "      u = grad + 0.01 * row_sum * col_mean - matrix_norm / (rows + cols)\n" +
                  "    }\n    update = 0.1 * u\n  }\n}\n" + kLinedRules,
              "SPLIT", split);
}

}  // namespace talweg::tests
