"""One circuit, written right in every style that the language allows: `first` set bit, `back` to front, one of `two`."""

# ruff: noqa: E501

SCAN = """module RefModule(input [3:0] a, input clk, output reg [1:0] first, output [3:0] back, output reg two);
  always @* first = a[0] ? 0 : a[1] ? 1 : a[2] ? 2 : a[3] ? 3 : 0;
  assign back = {a[0], a[1], a[2], a[3]};
  always @(posedge clk) two <= a == 1 || a == 2 || a >= 8 && a <= 11;
endmodule
"""
SCAN_TARGET = {"top": "TopModule", "reference": SCAN, "cycles": 64}

_PARTS = {
    "first": "assign first = a[0] ? 0 : a[1] ? 1 : a[2] ? 2 : a[3] ? 3 : 0;",
    "back": "assign back = {a[0], a[1], a[2], a[3]};",
    "two": "reg t; always @(posedge clk) t <= a == 1 || a == 2 || a >= 8 && a <= 11; assign two = t;",
}
_HEAD = (
    "module TopModule(input [3:0] a, input clk, output logic [1:0] first, output logic [3:0] back, output logic two);"
)

STYLES = {
    "first": {
        "casez": "always_comb casez (a) 4'b???1: first = 0; 4'b??1?: first = 1; 4'b?1??: first = 2; 4'b1???: first = 3; default: first = 0; endcase",
        "casex": "always_comb casex (a) 4'bxxx1: first = 0; 4'bxx1x: first = 1; 4'bx1xx: first = 2; 4'b1xxx: first = 3; default: first = 0; endcase",
        "case inside": "always_comb case (a) inside 4'b???1, 0: first = 0; 4'b??10: first = 1; [4:4], 12: first = 2; default: first = 3; endcase",
        "unique case": "always_comb unique case (1'b1) a[0]: first = 0; a[1] & ~a[0]: first = 1; a[2] & ~|a[1:0]: first = 2; a == 8: first = 3; a == 0: first = 0; endcase",
        "priority if": "always_comb priority if (a[0]) first = 0; else if (a[1]) first = 1; else if (a[2]) first = 2; else if (a[3]) first = 3; else first = 0;",
        "break": "always_comb begin first = 0; for (int i = 0; i < 4; i++) if (a[i]) begin first = i[1:0]; break; end end",
        "continue": "always_comb begin first = 0; for (int i = 3; i >= 0; i--) begin if (!a[i]) continue; first = i[1:0]; end end",
        "disable": "integer i; always @* begin : scan first = 0; for (i = 0; i < 4; i = i + 1) if (a[i]) begin first = i; disable scan; end end",
        "while": "integer i; always @* begin i = 0; while (i < 3 && !a[i]) i = i + 1; first = a == 0 ? 0 : i; end",
        "return": "function automatic logic [1:0] scan(input logic [3:0] v); for (int i = 0; i < 4; i++) if (v[i]) return 2'(i); return 0; endfunction\nassign first = scan(a);",
        "task": "task scan(input [3:0] v, output [1:0] p); p = v[0] ? 0 : v[1] ? 1 : v[2] ? 2 : v[3] ? 3 : 0; endtask\nalways @* scan(a, first);",
        "wildcard": "assign first = a ==? 4'b???1 ? 0 : a ==? 4'b??1? ? 1 : a ==? 4'b?1?? ? 2 : a ==? 4'b1??? ? 3 : 0;",
        "enumeration": "typedef enum logic [1:0] {P0, P1, P2, P3} place; place p; always_comb begin p = P0; if (!a[0]) p = a[1] ? P1 : a[2] ? P2 : a[3] ? P3 : P0; end\nassign first = p;",
        "nameless enumeration": "enum int {P0, P1, P2 = 2, P3} p; always_comb p = a[0] ? P0 : a[1] ? P1 : a[2] ? P2 : a[3] ? P3 : P0;\nassign first = p[1:0];",
        "casts": "typedef logic [1:0] place; always_comb first = a[0] ? place'(0) : a[1] ? place'(5) : place'(int'(a[2]) ? 2 : unsigned'({2{a[3]}}));",
        "structure": "typedef struct packed {logic [1:0] high; logic [1:0] low;} pair; pair p; assign p = a;\nassign first = |p.low ? {1'b0, ~p.low[0]} : |p.high ? {1'b1, ~p.high[0]} : 0;",
        "bits in two dimensions": "logic [1:0][1:0] p; assign p = a;\nassign first = |p[0] ? {1'b0, ~p[0][0]} : |p[1] ? {1'b1, ~p[1][0]} : 0;",
        "structure in a pattern": "typedef struct packed {logic any; logic [1:0] place;} found; found f; always_comb begin f = '{default: 0}; if (a[0]) f = '{1, 0}; else if (a[1]) f = '{place: 1, any: 1}; else if (a != 0) f = '{any: 1, place: 2 + !a[2]}; end\nassign first = f.any ? f.place : 0;",
        "automatic variable": "always_comb begin automatic int n = 0; for (int i = 3; i >= 0; i--) if (a[i]) n = i; first = n; end",
        "variable in a function": "function automatic logic [1:0] scan(input logic [3:0] v); int n = 0; while (n < 3 && !v[n]) n = n + 1; return v == 0 ? 0 : 2'(n); endfunction\nassign first = scan(a);",
        "table of constants": "localparam logic [1:0] T [16] = '{0, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0}; assign first = T[a];",
        "wired array": "logic [1:0] m [0:3]; assign m = '{0, 1, 2, 3}; always_comb begin first = 0; for (int i = 3; i >= 0; i--) if (a[i]) first = m[i]; end",
        "void function": "function automatic void scan(input logic [3:0] v, output logic [1:0] p); p = v[0] ? 0 : v[1] ? 1 : v[2] ? 2 : v[3] ? 3 : 0; endfunction\nalways_comb scan(a, first);",
        "enumeration with a range": "localparam int unsigned W = 2; typedef enum logic [W-1:0] {P[4]} place; place p; always_comb p = a[0] ? P0 : a[1] ? P1 : a[2] ? P2 : a[3] ? P3 : P0;\nassign first = p;",
        "tri-state": "wire [1:0] p; assign first = p; assign p = |a[1:0] ? {1'b0, ~a[0]} : 2'bz;\nassign p = |a[1:0] ? 2'bz : |a[3:2] ? {1'b1, ~a[2]} : 2'b0;",
        "gates": "wire n0, n1, n; not (n0, a[0]); not (n1, a[1]); and (n, n0, n1); wire h; or (h, a[2], a[3]); wire p; and (p, n, h);\nassign first[1] = p, first[0] = n0 & (a[1] | (~a[2] & a[3]));",
        "drive strength": "assign (strong0, strong1) first = a[0] ? 0 : a[1] ? 1 : a[2] ? 2 : a[3] ? 3 : 0;",
        "assertion": "assign first = a[0] ? 0 : a[1] ? 1 : a[2] ? 2 : a[3] ? 3 : 0; always_comb assert (first <= 3 && a[first] == 1'b1);",
        "table": "reg [1:0] m [0:15]; integer k; initial for (k = 0; k < 16; k = k + 1) m[k] = k[0] ? 0 : k[1] ? 1 : k[2] ? 2 : k[3] ? 3 : 0;\nassign first = m[a];",
    },
    "back": {
        "stream": "assign back = {<<{a}};",
        "stream of pairs": "wire [3:0] b = {a[2], a[3], a[0], a[1]};\nassign back = {<<2{b}};",
        "generate": "for (genvar i = 0; i < 4; i++) begin : g assign back[i] = a[3 - i]; end",
        "foreach": "always_comb foreach (a[i]) back[i] = a[3 - i];",
        "ascending": "wire [0:3] b; assign {b[0], b[1], b[2], b[3]} = a;\nassign back = {b[3], b[2], b[1], b[0]};",
        "instances": "flip f[3:0](.x({a[0], a[1], a[2], a[3]}), .y(back));",
    },
    "two": {
        "inside": "always_ff @(posedge clk) two <= a inside {1, 2, [8:11]};",
        "inside with wildcards": "always_ff @(posedge clk) two <= a inside {4'b0001, 4'b0010, 4'b10??};",
        "delay": "always @(posedge clk) two <= #1 a == 1 || a == 2 || a[3:2] == 2;",
        "latches": "reg m; always_latch if (!clk) m <= a == 1 || a == 2 || a[3:2] == 2;\nalways_latch if (clk) two <= m;",
        "array with a default": "logic [3:0] m [0:1]; always_ff @(posedge clk) begin m <= '{default: 0}; m[1] <= a; end\nassign two = m[1] == 1 || m[1] == 2 || m[1][3:2] == 2;",
        "inverted clock": "wire n = ~clk; always @(negedge n) two <= a == 1 || a == 2 || a[3:2] == 2;",
        "signed": "wire signed [3:0] s = a; always @(posedge clk) two <= s <= -5 || s == 1 || s == 2;",
    },
}  # fmt: skip


def styled(part, name):
    """Return the circuit with one of its parts in this style."""
    lines = [STYLES[part][name] if key == part else line for key, line in _PARTS.items()]
    return "\n".join([_HEAD, *lines, "endmodule", "module flip(input x, output y); assign y = x; endmodule"])
