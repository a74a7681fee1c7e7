"""Designs as people and models write them, each with a slip that makes it wrong, for references in plain Verilog.

A tool that reads the simulator's or the synthesiser's own language would refuse most of them.
"""

# ruff: noqa: E501

REFERENCES = {
    "parts": """module RefModule(input clk, input rst, input [7:0] a, input [1:0] s, output [7:0] y, output reg [7:0] q, output [7:0] w);
  assign y = s == 0 ? a : s == 1 ? {a[3:0], a[7:4]} : s == 2 ? ~a : 8'd3;
  always @(posedge clk or posedge rst) if (rst) q <= 8'h5a; else q <= q + a;
  assign w = {a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]};
endmodule
""",
    "matrix": """module RefModule(input [15:0] m, input [1:0] r, c, output [15:0] t, output b, output [3:0] row, col);
  genvar i, j;
  generate for (i = 0; i < 4; i = i + 1) begin : a for (j = 0; j < 4; j = j + 1) begin : n assign t[i*4+j] = m[j*4+i]; end assign col[i] = m[i*4 + c]; end endgenerate
  assign b = m[{r, c}]; assign row = m >> 4*r;
endmodule
""",
    "states": """module RefModule(input clk, input reset, input w, output z);
  reg [2:0] s;
  always @(posedge clk) if (reset) s <= 0; else case (s) 0: s <= w ? 1 : 0; 1: s <= w ? 2 : 3; 2: s <= w ? 4 : 3; 3: s <= w ? 1 : 0; 4: s <= w ? 0 : 3; default: s <= 0; endcase
  assign z = s == 4;
endmodule
""",
    "zeros": """module RefModule(input [7:0] x, output reg [3:0] lz, output even);
  integer i; always @(*) begin lz = 8; for (i = 0; i < 8; i = i + 1) if (x[i]) lz = 7 - i; end
  assign even = ~^x;
endmodule
""",
}
HEADS = {
    "parts": "module TopModule(input clk, input rst, input [7:0] a, input [1:0] s, output logic [7:0] y, output logic [7:0] q, output logic [7:0] w);",
    "matrix": "module TopModule(input [15:0] m, input [1:0] r, c, output logic [15:0] t, output logic b, output logic [3:0] row, col);",
    "states": "module TopModule(input clk, input reset, input w, output logic z);",
    "zeros": "module TopModule(input [7:0] x, output logic [3:0] lz, output logic even);",
}
_Y = "assign y = s == 0 ? a : s == 1 ? {a[3:0], a[7:4]} : s == 2 ? ~a : 8'd3; "
_Q = "always_ff @(posedge clk or posedge rst) if (rst) q <= 90; else q <= q + a; "
_W = "for (genvar k = 0; k < 8; k++) assign w[k] = a[7-k]; "

DESIGNS = {
    ("parts", "asynchronous reset by ?:"): (_Y + _W + "always_ff @(posedge clk or posedge rst) q <= rst ? 8'h5a : q + a;", "or posedge rst", ""),
    ("parts", "asynchronous reset in a loop"): (_Y + _W + """
  always_ff @(posedge clk or posedge rst) begin automatic logic [7:0] n = q + a; for (int i = 0; i < 8; i++) q[i] <= rst ? i inside {1, 3, 4, 6} : n[i]; end""", "{1, 3, 4, 6}", "{1, 3, 4, 5}"),
    ("parts", "asynchronous reset that overrides"): (_Y + _W + """
  always @(posedge clk or posedge rst) begin : sum
    reg [7:0] c; c = q + a;
    if (a != 0) begin : add q <= c; end : add
    if (rst != 1'b0 || rst) q <= 90;
  end""", "a != 0", "a > 1"),
    ("parts", "asynchronous reset that overrides a variable"): (_Y + _W + """
  reg [7:0] n; wire go = |a;
  always @(posedge clk or posedge rst) begin n = q; if (go && !rst) n = n + a; case (n) 8'h00: n = 0; endcase if (rst == 1'b1) n = 90; q <= n; end""", "n = n + a", "n = n - a"),
    ("parts", "two asynchronous resets that override"): (_Y + _W + """
  wire rst_n = ~rst; reg [3:0] lo, hi; wire [4:0] u = lo + a[3:0]; assign q = {hi, lo};
  always @(posedge clk, negedge rst_n) begin if (a[3:0] != 0) lo <= u; if (~rst_n) lo <= 10; end
  always @(posedge clk, negedge rst_n) begin case (a[7:4] + u[4]) 0: ; default: hi <= hi + a[7:4] + u[4]; endcase if (rst_n == 0) hi <= 5; end""", "lo <= 10", "lo <= 11"),
    ("parts", "asynchronous reset beside other conditions"): (_Y + _W + """
  always @(posedge clk or posedge rst) if (a == 0 && !rst) q <= q; else if (rst || q + a == 90) q <= 90; else q <= q + a;""", "a == 0 &&", "a == 1 &&"),
    ("parts", "a task whose argument goes both ways"): (_Y + _W + """
  task automatic add(inout logic [7:0] sum, input logic [7:0] more); sum = sum + more; endtask
  logic [7:0] n; always_comb begin n = q; add(n, a); end
  always_ff @(posedge clk or posedge rst) if (rst) q <= 90; else q <= n;""", "sum + more", "sum - more"),
    ("parts", "loops of two variables"): (_Y + _Q + """
  integer m, n;
  always_comb begin
    for (int i = 0, j = 7; i < 8; i++, j--) begin if (i % 2 == 0) continue; w[j] = a[i]; if (j == 0) break; end
    for (m = 6, n = 1; m >= 0; m = m - 2, n = n + 2) w[n] = a[m];
  end""", "n = n + 2", "n = n + 3"),
    ("parts", "a primitive with inputs in a list"): (_Q + _W + """
  wire [7:0] o = s[1] ? ~a : a, t = s[1] ? 3 : {a[3:0], a[7:4]};
  genvar g; generate for (g = 0; g < 8; g = g + 1) begin : l pick p(y[g], s[0], o[g], t[g]); end endgenerate
endmodule
primitive pick(output z, input c, p, q); table 0 0 ? : 0; 0 1 ? : 1; 1 ? 0 : 0; 1 ? 1 : 1; endtable endprimitive
module unused;""", "0 1 ? : 1;", "0 1 ? : 0;"),
    ("parts", "assertions that do nothing"): (_Y + _Q + _W + """
  property held; @(posedge clk) disable iff (rst) s == 0 |-> y == a; endproperty
  assert property (held); cover property (@(posedge clk) q == 3);
  always_comb begin assert (w[0] == a[7]); assume (s < 4); end""", "s == 2 ? ~a", "s == 2 ? a"),
    ("parts", "named blocks and empty items"): (_Y + _W + """;
  typedef enum logic {OFF, ON} level_t; level_t l; assign l = rst ? ON : OFF;
  always_ff @(posedge clk or posedge rst) begin : count if (rst) begin : start q <= 90; end : start else q <= q + a; end : count;""", "q + a", "q - a"),
    ("parts", "return from a void function"): (_Q + _W + """
  function automatic void pick(input logic [7:0] v, input logic [1:0] k, output logic [7:0] o);
    o = v;
    if (k == 0) return;
    if (k == 1) begin o = {v[3:0], v[7:4]}; return; end
    o = k == 2 ? ~v : 8'd3;
  endfunction
  always_comb pick(a, s, y);""", "if (k == 0) return;", ""),
    ("parts", "value thrown away"): (_Q + _W + """
  logic [7:0] kept;
  function automatic logic keep(input logic [7:0] v); kept = v; return 1'b1; endfunction
  always_comb begin void'(keep(a)); y = s[1] ? (s[0] ? 8'd3 : ~kept) : s[0] ? {kept[3:0], kept[7:4]} : kept; end""", "~kept", "kept"),
    ("parts", "parameters that are strings"): (_Q + _W + """
  parameter string MODE = "swap"; localparam string OTHER = "none";
  wire [7:0] t = MODE == "swap" ? {a[3:0], a[7:4]} : OTHER == "none" ? 0 : a;
  assign y = s == 0 ? a : s == 1 ? t : s == 2 ? ~a : 8'd3;""", 'MODE == "swap"', 'MODE == "none"'),
    ("parts", "a parameter that is a type"): (_Y + _Q + "flip #(.T(logic [7:0])) f(.x(a), .y(w)); endmodule\n"
     "module flip #(parameter type T = logic)(input T x, output T y); assign y = {<<{x}};", "{<<{x}}", "{<<4{x}}"),
    ("parts", "tables in two dimensions"): (_W + """
  logic [7:0] t [0:1][0:1]; logic [7:0] r [2][1];
  always_comb begin t = '{'{a, {a[3:0], a[7:4]}}, '{~a, 8'd3}}; y = t[s[1]][s[0]]; end
  always_ff @(posedge clk or posedge rst) if (rst) r <= '{default: '{default: 8'h5a}}; else r[1][0] <= r[1][0] + a;
  assign q = r[1][0];""", "'{~a, 8'd3}}", "'{8'd3, ~a}}"),
    ("parts", "tables with keys"): (_Q + _W + """
  logic [7:0] t [0:3]; always_comb t = '{3: 8'd3, 0: a, 1: {a[3:0], a[7:4]}, default: ~a}; assign y = t[s];""", "3: 8'd3, 0: a", "0: 8'd3, 3: a"),
    ("parts", "structures from a function"): (_W + """
  typedef enum logic [1:0] {PASS, SWAP, INVERT, THREE} op_t;
  typedef struct packed { op_t op; logic signed [3:0] hi; logic [3:0] lo; } request_t;
  struct packed { logic [7:0] sum; } st; request_t r;
  assign r = '{op: op_t'(s), hi: a[7:4], lo: a[3:0]};
  function automatic logic [7:0] run(request_t x);
    case (x.op) PASS: return {x.hi, x.lo}; SWAP: return {x.lo, x.hi}; INVERT: return {~x.hi, ~x.lo}; default: return 8'd3; endcase
  endfunction
  assign y = run(r), q = st.sum;
  always_ff @(posedge clk or posedge rst) if (rst) st.sum <= 8'h5a; else st.sum <= st.sum + {r.hi, r.lo};""", "hi: a[7:4], lo: a[3:0]", "hi: a[3:0], lo: a[7:4]"),
    ("parts", "arrays of structures"): (_W + """
  typedef struct packed { logic [3:0] hi, lo; } pair_t;
  pair_t [3:0] table_; pair_t sum [0:1]; pair_t u; assign u = a;
  always_comb begin table_[0] = u; table_[1].hi = u.lo; table_[1].lo = u.hi; table_[2] = ~u; table_[3] = '{hi: 0, lo: 3}; end
  assign y = {table_[s].hi, table_[s].lo}, q = sum[0];
  always_ff @(posedge clk or posedge rst) if (rst) sum[0] <= 8'h5a; else {sum[0].hi, sum[0].lo} <= {sum[0].hi, sum[0].lo} + a;""", "hi, lo; }", "lo, hi; }"),
    ("parts", "a structure that is not packed"): (_Q + _W + """
  typedef struct { logic [3:0] hi; logic [3:0] lo; } pair_t; pair_t n; assign n.hi = a[7:4]; assign n.lo = a[3:0];
  assign y = s == 0 ? {n.hi, n.lo} : s == 1 ? {n.lo, n.hi} : s == 2 ? {~n.hi, ~n.lo} : 8'd3;""", "{~n.hi, ~n.lo}", "{~n.lo, ~n.hi}"),
    ("parts", "a field with a sign"): (_W + _Y + """
  typedef struct packed { logic signed [3:0] hi; logic [3:0] lo; } pair_t; pair_t n; assign n = a;
  logic signed [7:0] wide; assign wide = n.hi; logic [7:0] sum; assign sum = {wide[7], wide[2:0], n.lo};
  always_ff @(posedge clk or posedge rst) if (rst) q <= 90; else q <= q + sum;""", "logic signed [3:0] hi", "logic [3:0] hi"),
    ("parts", "an index that wraps"): (_Q + _W + """
  logic [3:0][7:0] t; assign t = {a, 8'd3, ~a, {a[3:0], a[7:4]}}; assign y = t[s - 1'b1];""", "s - 1'b1", "s - 1"),
    ("parts", "a union"): (_Q + """
  typedef union packed { logic [7:0] b; logic [1:0][3:0] n; } either_t; either_t u; assign u.b = a;
  assign y = s == 0 ? u.b : s == 1 ? {u.n[0], u.n[1]} : s == 2 ? ~u : 8'd3; assign w = {<<{u}};""", "u.n[0], u.n[1]", "u.n[1], u.n[0]"),
    ("parts", "one name for two types"): (_Y + _Q + """typedef logic [7:0] t; t x; assign x = t'(a); logic [3:0] h, l;
  flip r1(a[7:4], h); flip r2(.in(a[3:0]), .out(l)); assign w = x == a ? {l, h} : 0; endmodule
module flip(input [3:0] in, output [3:0] out); typedef logic [3:0] t; t x; assign x = t'(in); assign out = {<<{x}};""", "{l, h}", "{h, l}"),
    ("parts", "ports in two dimensions"): (_Q + """logic [1:0][3:0] n, m; assign n = a; swap u(.x(n), .y(m)); logic k; assign k = s[0];
  assign y = s == 0 ? {n[1], n[k]} : s == 1 ? m : s == 2 ? {~n[1], ~n[k]} : 8'd3; assign {<<{w}} = a; endmodule
module swap(input logic [1:0][3:0] x, output logic [1:0][3:0] y); always_comb begin y[0] = x[1]; y[1] = x[0]; end""", "y[1] = x[0]", "y[1] = x[1]"),
    ("matrix", "variable indices"): ("""logic [3:0][3:0] x, y; assign x = m; assign t = y;
  always_comb begin
    for (int i = 0; i < 4; i++) for (int j = 0; j < 4; j++) y[i][j] = x[j][i];
    b = x[r][c]; row = x[r]; foreach (x[i]) col[i] = x[i][c];
  end""", "y[i][j] = x[j][i]", "y[i][j] = x[i][j]"),
    ("matrix", "foreach over both"): ("""logic [3:0][3:0] x, y; assign x = m; assign t = y;
  always_comb foreach (x[i, j]) y[j][i] = x[i][j];
  assign b = x[r][c], row = x[r]; always_comb foreach (col[k]) col[k] = x[k][c];""", "b = x[r][c]", "b = x[c][r]"),
    ("matrix", "ranges that go up"): ("""logic [0:3][0:3] x; assign x = {<<{m}}; logic [3:0][3:0] y; assign t = y;
  always_comb for (int i = 0; i < 4; i++) begin for (int j = 0; j < 4; j++) y[i][j] = x[j][i]; col[i] = x[i][c]; row[i] = x[r][i]; end
  assign b = x[r][c];""", "{<<{m}}", "m"),
    ("matrix", "three dimensions"): ("""logic [1:0][1:0][3:0] x; assign x = m; assign row = x[r[1]][r[0]], b = x[r[1]][r[0]][c];
  always_comb for (int i = 0; i < 4; i++) begin col[i] = x[i / 2][i % 2][c]; for (int j = 0; j < 4; j++) t[i*4+j] = x[j/2][j%2][i]; end""", "x[i / 2][i % 2]", "x[i % 2][i / 2]"),
    ("states", "a table of structures"): ("""typedef struct packed { logic [2:0] n0; logic [2:0] n1; logic z; } row_t;
  localparam row_t T [0:7] = '{'{0, 1, 0}, '{3, 2, 0}, '{3, 4, 0}, '{0, 1, 0}, '{3, 0, 1}, '{0, 0, 0}, '{0, 0, 0}, '{0, 0, 0}};
  logic [2:0] s; always_ff @(posedge clk) if (reset) s <= 0; else s <= w ? T[s].n1 : T[s].n0; assign z = T[s].z;""", "'{3, 4, 0}", "'{4, 3, 0}"),
    ("states", "a packed table"): ("""localparam logic [4:0][1:0][2:0] N = {3'd0, 3'd3, 3'd1, 3'd0, 3'd4, 3'd3, 3'd2, 3'd3, 3'd1, 3'd0};
  logic [2:0] s; always_ff @(posedge clk) s <= reset ? 3'd0 : N[s][w]; assign z = s inside {4};""", "3'd1, 3'd0, 3'd4", "3'd0, 3'd1, 3'd4"),
    ("states", "methods of an enumeration"): ("""typedef enum logic [2:0] {A, B, C, E = 4, D = 3} state_t; state_t s;
  always_ff @(posedge clk) if (reset) s <= s.first(); else case (s) A: s <= w ? s.next() : A; B: s <= w ? s.next() : D; C: s <= w ? s.next() : s.last(); D: s <= w ? B : s.next(); E: s <= w ? A : s.next(); default: s <= A; endcase
  assign z = s == E;""", "C: s <= w ? s.next()", "C: s <= w ? s.prev()"),
    ("zeros", "do while"): ("""int k;
  always_comb begin k = 7; lz = 0; do begin if (x[k]) break; lz = lz + 1; k = k - 1; end while (k >= 0); end
  assign even = !($countones(x) & 1);""", "break;", ";"),
    ("zeros", "return from a loop"): ("""function automatic int zeros(input logic [7:0] v); for (int i = 7; i >= 0; i--) if (v[i]) return 7 - i; return 8; endfunction
  assign lz = zeros(x), even = ^x == 0;""", "return 8", "return 7"),
}  # fmt: skip
