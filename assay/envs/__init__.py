"""Where agents act. Importing this package registers the environments with Gymnasium; each loads when made."""

from __future__ import annotations

import gymnasium

from assay.envs.base import Progress, SingleTurnEnv, TaskEnv

_ENVIRONMENTS: dict[str, str] = {
    "assay/Arithmetic-v0": "assay.envs.math.arithmetic:ArithmeticEnv",
    "assay/BabyAI-v0": "assay.envs.games.baby_ai:BabyAIEnv",
    "assay/Calculator-v0": "assay.envs.tools.calculator:CalculatorEnv",
    "assay/CarDealer-v0": "assay.envs.games.car_dealer:CarDealerEnv",
    "assay/Chess-v0": "assay.envs.games.chess_game:ChessEnv",
    "assay/ChessEndgame-v0": "assay.envs.games.chess_game:ChessEndgameEnv",
    "assay/Code-v0": "assay.envs.code.code:CodeEnv",
    "assay/CodeInterpreter-v0": "assay.envs.code.interpreter:CodeInterpreterEnv",
    "assay/CodeRepair-v0": "assay.envs.code.repair:CodeRepairEnv",
    "assay/ConnectFour-v0": "assay.envs.games.connect_four:ConnectFourEnv",
    "assay/Countdown-v0": "assay.envs.math.countdown:CountdownEnv",
    "assay/FrozenLake-v0": "assay.envs.games.frozen_lake:FrozenLakeEnv",
    "assay/GUIGround-v0": "assay.envs.web.ground.env:GuiGroundEnv",
    "assay/GuessMyCity-v0": "assay.envs.games.questions:GuessMyCityEnv",
    "assay/GuessNumber-v0": "assay.envs.games.guess_number:GuessNumberEnv",
    "assay/KnightsKnaves-v0": "assay.envs.puzzles.knights_knaves:KnightsKnavesEnv",
    "assay/KuhnPoker-v0": "assay.envs.games.kuhn_poker:KuhnPokerEnv",
    "assay/MathWord-v0": "assay.envs.math.mathword:MathWordEnv",
    "assay/Maze-v0": "assay.envs.games.maze:MazeEnv",
    "assay/Minesweeper-v0": "assay.envs.games.minesweeper:MinesweeperEnv",
    "assay/MiniWoB-v0": "assay.envs.web.miniwob.env:MiniWobEnv",
    "assay/ReasoningGym-v0": "assay.envs.puzzles.reasoning_gym:ReasoningGymEnv",
    "assay/SearchQA-v0": "assay.envs.search.searchqa:SearchQaEnv",
    "assay/Series-v0": "assay.envs.series:SeriesEnv",
    "assay/ServiceDesk-v0": "assay.envs.tools.service_desk:ServiceDeskEnv",
    "assay/Sokoban-v0": "assay.envs.games.sokoban:SokobanEnv",
    "assay/Sudoku-v0": "assay.envs.puzzles.sudoku:SudokuEnv",
    "assay/Terminal-v0": "assay.envs.tools.terminal:TerminalEnv",
    "assay/TestWriting-v0": "assay.envs.code.testwriting:TestWritingEnv",
    "assay/TextArena-v0": "assay.envs.games.text_arena:TextArenaEnv",
    "assay/TextNav-v0": "assay.envs.games.text_nav:TextNavEnv",
    "assay/TextWorld-v0": "assay.envs.games.text_world:TextWorldEnv",
    "assay/ToolCall-v0": "assay.envs.tools.tool_call:ToolCallEnv",
    "assay/Twenty48-v0": "assay.envs.games.twenty48:Twenty48Env",
    "assay/TwentyFour-v0": "assay.envs.puzzles.twenty_four:TwentyFourEnv",
    "assay/TwentyQuestions-v0": "assay.envs.games.questions:TwentyQuestionsEnv",
    "assay/Verilog-v0": "assay.envs.verilog.verilog:VerilogEnv",
    "assay/VulnRepair-v0": "assay.envs.code.vulnrepair:VulnRepairEnv",
    "assay/WebTask-v0": "assay.envs.web.web_task:WebTaskEnv",
    "assay/Wordle-v0": "assay.envs.games.wordle:WordleEnv",
    "assay/Zebra-v0": "assay.envs.puzzles.zebra:ZebraEnv",
}

for _id, _path in _ENVIRONMENTS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(id=_id, entry_point=_path, disable_env_checker=True)

__all__ = ["Progress", "SingleTurnEnv", "TaskEnv"]
