"""assay/Chess-v0 and assay/ChessEndgame-v0: chess against Stockfish, limited by nodes so that games repeat exactly.

    4k3/8/8/8/8/8/4Q3/4K3 w - - 0 1

is answered by a move in standard or coordinate notation, `#Qe6+` or `#e2e6`. The rules are python-chess's, the opponent
is the machine's Stockfish (Debian's package `stockfish`). A limit of time would make results depend on the load, and
Stockfish's own skill levels draw lots that no seed reaches; a limit of nodes and blunders drawn here do neither.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError, Fault
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import check_between, prompt, task_source

try:
    import chess
    import chess.engine
except ImportError as missing:
    raise ConfigError("chess needs python-chess: pip install 'assay-rl[games]'") from missing

ENV_ID = "assay/Chess-v0"
ENDGAME_ID = "assay/ChessEndgame-v0"
_PLACES = ("stockfish", "/usr/games/stockfish", "/usr/local/bin/stockfish")
ORACLE_NODES = 20_000


class Chess(Game):
    """A game in progress; player 0 has white."""

    players: ClassVar[int] = 2

    def __init__(self, fen: str) -> None:
        self.board = chess.Board(fen)

    @property
    def to_move(self) -> int:
        """Whose turn it is."""
        return 0 if self.board.turn == chess.WHITE else 1

    @property
    def over(self) -> bool:
        """Whether the game has ended; a third repetition and fifty moves without progress end it too."""
        return self._outcome is not None

    @property
    def _outcome(self) -> float | None:
        """What white has of the game, when it is over."""
        outcome = self.board.outcome()
        if outcome is not None:
            return 0.5 if outcome.winner is None else float(outcome.winner)
        return 0.5 if self.board.is_repetition(3) or self.board.halfmove_clock >= 100 else None

    def observe(self, player: int = 0) -> str:
        """Return the position in Forsyth-Edwards notation."""
        return self.board.fen()

    def play(self, move: str) -> None:
        """Move, in standard (`Nf3`) or coordinate (`g1f3`) notation."""
        text = move.strip()
        for read in (self.board.parse_san, self.board.parse_uci):
            try:
                found = read(text)
            except ValueError:
                continue
            if found:  # python-chess reads `--` and `0000` as passing
                self.board.push(found)
                return
        raise IllegalMove(f"not a legal move here: {text[:20]!r}")

    def moves(self) -> list[str]:
        """Return the legal moves in standard notation."""
        return [self.board.san(move) for move in self.board.legal_moves]

    def score(self, player: int = 0) -> float:
        """1 for a win, 0.5 for a draw, 0 for a loss or a game that goes on."""
        white = self._outcome
        if white is None:
            return 0.0
        return white if player == 0 else 1.0 - white


class Engine:
    """A Stockfish process, started at the first move that is asked for."""

    def __init__(self) -> None:
        self._engine: chess.engine.SimpleEngine | None = None

    def best(self, board: chess.Board, nodes: int, game: object | None = None) -> str:
        """Return the move it finds within so many nodes; `Fault` when the process is gone.

        Within one `game` it remembers what it has found; without one its answer depends on the position alone.
        """
        try:
            if self._engine is None:
                self._engine = chess.engine.SimpleEngine.popen_uci(find_stockfish())
            found = self._engine.play(board, chess.engine.Limit(nodes=nodes), game=game or object())
        except (chess.engine.EngineError, OSError, TimeoutError) as error:
            self.close()
            raise Fault(f"stockfish broke: {str(error)[:200]}") from None
        assert found.move is not None
        return found.move.uci()

    def close(self) -> None:
        """End the process. Idempotent."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()


def find_stockfish() -> str:
    """Return the path of the program, or raise `ConfigError` that says how to get it."""
    found = next(filter(None, map(shutil.which, _PLACES)), None)
    if found is None:
        raise ConfigError("chess needs the program stockfish: apt-get install stockfish")
    return found


@dataclass(frozen=True)
class OpeningGenerator:
    """Positions after a few random moves from the start, level enough for a game; the agent is to move."""

    nodes: int = 100
    instructions: str = field(default="", compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one opening of two to six random half-moves."""
        board = chess.Board()
        for _ in range(int(rng.integers(2, 7))):
            legal = list(board.legal_moves)
            board.push(legal[int(rng.integers(len(legal)))])
        return _problem(board, self.instructions, float(np.log10(self.nodes)))


@dataclass(frozen=True)
class EndgameGenerator:
    """White to move with king and `pieces` against a bare king: always to be won."""

    pieces: str = "Q"
    nodes: int = 100
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.pieces not in ("Q", "R", "QR", "RR"):
            raise ConfigError(f"pieces must be Q, R, QR or RR, not {self.pieces!r}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one endgame."""
        while True:
            board = chess.Board.empty()
            squares = rng.permutation(64).tolist()
            board.set_piece_at(squares[0], chess.Piece.from_symbol("k"))
            for square, symbol in zip(squares[1:], "K" + self.pieces, strict=False):
                board.set_piece_at(square, chess.Piece.from_symbol(symbol))
            attacked = any(board.attackers(chess.BLACK, square) for square in squares[2 : 2 + len(self.pieces)])
            if board.is_valid() and not attacked and not board.is_game_over():
                return _problem(board, self.instructions, float(len(self.pieces)))


def _problem(board: chess.Board, instructions: str, difficulty: float) -> Problem:
    fen = board.fen()
    return {
        "prompt": prompt(fen, instructions),
        "key": fen,
        "difficulty": difficulty,
        "metadata": {"fen": fen},
    }


class ChessEnv(GameEnv):
    """Win a game of chess. A draw scores 0.5 and is not correct.

    Options: `nodes` (how far the opponent looks), `blunders` (share of its moves that it makes at random), `max_turns`,
    `instructions`, `split`. Tasks start after two to six random half-moves, with the agent to move.

    Demonstrations: `solve` plays what Stockfish finds with 20,000 nodes, `random` any legal move.
    """

    blocking = True

    def __init__(
        self,
        *,
        nodes: int = 100,
        blunders: float = 0.5,
        max_turns: int = 200,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = _told("Win this game of chess.") if instructions else ""
        tasks = task_source(ENV_ID, split, OpeningGenerator(nodes, told), OpeningGenerator())
        self._against(nodes, blunders)
        super().__init__(tasks, max_turns=max_turns, render_mode=render_mode)

    def _against(self, nodes: int, blunders: float) -> None:
        check_between("nodes", nodes, 1, 10**7)
        if not 0 <= blunders <= 1:
            raise ConfigError(f"blunders must be a share between 0 and 1, not {blunders!r}")
        find_stockfish()
        self.nodes, self.blunders = nodes, blunders
        self.engine, self.adviser = Engine(), Engine()

    def start(self, task: Task, rng: np.random.Generator) -> Chess:
        """Return the position of a task; the agent is to move."""
        game = Chess(task.metadata["fen"])
        self.seat, self._rng = game.to_move, rng
        return game

    def reply(self) -> None:
        """Let Stockfish move, or blunder."""
        assert isinstance(self.game, Chess)
        if self.game.over or self.game.to_move == self.seat:
            return
        if self._rng.random() < self.blunders:
            legal = self.game.moves()
            self.game.play(legal[int(self._rng.integers(len(legal)))])
        else:
            self.game.play(self.engine.best(self.game.board, self.nodes))

    def oracle(self) -> Iterator[str]:
        """Play what a far stronger Stockfish finds."""
        assert isinstance(self.game, Chess)
        while True:
            yield self.adviser.best(self.game.board, ORACLE_NODES, self.game)

    def close(self) -> None:
        """End the engines' processes."""
        self.engine.close()
        self.adviser.close()
        super().close()


class ChessEndgameEnv(ChessEnv):
    """Mate a bare king. A draw scores 0.5 and is not correct.

    Options: `pieces` (`Q`, `R`, `QR` or `RR`), `nodes` and `blunders` of the defender, `max_turns`, `instructions`,
    `split`.

    Demonstrations: `solve` plays what Stockfish finds with 20,000 nodes, `random` any legal move.
    """

    def __init__(
        self,
        *,
        pieces: str = "Q",
        nodes: int = 100,
        blunders: float = 0.0,
        max_turns: int = 50,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = _told("Give checkmate.") if instructions else ""
        tasks = task_source(ENDGAME_ID, split, EndgameGenerator(pieces, nodes, told), EndgameGenerator())
        self._against(nodes, blunders)
        GameEnv.__init__(self, tasks, max_turns=max_turns, render_mode=render_mode)


def _told(aim: str) -> str:
    return (
        f"{aim} You see the position in Forsyth-Edwards notation. End every turn with # and your move in standard "
        "notation, such as #Nf3, or by squares, such as #g1f3."
    )
