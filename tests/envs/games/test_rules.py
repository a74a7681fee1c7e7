"""The rules of the games themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError, DataError
from assay.envs.games.connect_four import COLUMNS, ROWS, ConnectFour, connected
from assay.envs.games.game import IllegalMove
from assay.envs.games.grid import DIRECTIONS
from assay.envs.games.kuhn_poker import CARDS, STRATEGIES, KuhnPoker, best_response, value
from assay.envs.games.minesweeper import Minesweeper
from assay.envs.games.questions import read_table
from assay.envs.games.sokoban import Sokoban
from assay.envs.games.twenty48 import Twenty48, slide
from assay.envs.games.wordle import mark, read_words
from tests.envs.games.players import episode, make, said


@pytest.mark.parametrize(
    ("guess", "secret", "colours"),
    [
        ("crane", "crane", "GGGGG"),
        ("allee", "ladle", "YYY.G"),
        ("speed", "abide", "..Y.Y"),  # one e, and it is yellow once
        ("speed", "erase", "Y.YY."),
        ("geese", "elect", ".YG.."),  # the green e takes one of the two, the first yellow the other
        ("mamma", "madam", "GGY.Y"),
    ],
)
def test_wordle_marks_repeated_letters_by_the_standard_rules(guess, secret, colours):
    assert mark(guess, secret) == colours


WORDS = read_words(None)


@given(st.sampled_from(WORDS), st.sampled_from(WORDS))
def test_wordle_never_marks_a_letter_more_often_than_the_word_has_it(guess, secret):
    colours = mark(guess, secret)
    for letter in set(guess):
        marked = sum(c != "." for c, found in zip(colours, guess, strict=True) if found == letter)
        assert marked == min(guess.count(letter), secret.count(letter))
    assert [c == "G" for c in colours] == [a == b for a, b in zip(guess, secret, strict=True)]


def test_wordle_refuses_words_that_are_not_in_the_list_without_counting_a_guess():
    env = make("assay/Wordle-v0", guesses=2)
    task = env.tasks[0]
    other = next(word for word in WORDS if word != task.target)
    steps = episode(env, task, ["#qqqqq", f"#{other}", f"#{task.target}"])
    assert "not one of the" in said(steps[0])
    assert steps[-1][4]["verdict"].correct


def test_wordle_reads_a_list_of_the_user(tmp_path):
    path = tmp_path / "words"
    path.write_text("\n".join(["abcd", "bcde", "cdef", "defg", "efgh", "fghi", "ghij", "hijk", "ijkl", "jklm"]))
    env = make("assay/Wordle-v0", words=str(path))
    assert env.tasks[0].target in read_words(str(path))
    uneven = tmp_path / "uneven"
    uneven.write_text("abcd\nabc\n")
    with pytest.raises(DataError, match=r"uneven:2.*not a word of 4 letters"):
        make("assay/Wordle-v0", words=str(uneven))


BOARDS = st.lists(st.lists(st.sampled_from([0, 2, 4, 8]), min_size=4, max_size=4), min_size=4, max_size=4)


@given(BOARDS, st.sampled_from(sorted(DIRECTIONS)))
def test_sliding_keeps_the_sum_and_never_adds_tiles(rows, direction):
    board = tuple(map(tuple, rows))
    after = slide(board, direction)
    assert sum(map(sum, after)) == sum(map(sum, board))
    assert sum(t > 0 for r in after for t in r) <= sum(t > 0 for r in board for t in r)


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ((2, 2, 2, 2), (4, 4, 0, 0)),
        ((2, 0, 0, 2), (4, 0, 0, 0)),
        ((4, 2, 2, 0), (4, 4, 0, 0)),
        ((2, 2, 4, 0), (4, 4, 0, 0)),
    ],
)
def test_a_tile_merges_once_in_a_move(row, left):
    board = (row,) + ((0,) * 4,) * 3
    assert slide(board, "left")[0] == left
    assert slide(board, "right")[0] == tuple(reversed(slide((row[::-1], *board[1:]), "left")[0]))


def test_a_full_board_that_cannot_move_is_lost():
    board = ((2, 4, 2), (4, 2, 4), (2, 4, 2))
    game = Twenty48(board, 64, np.random.default_rng(0))
    assert game.over and game.moves() == [] and game.score() == pytest.approx(1 / 5)


def naive_four(cells):
    return any(
        all((c + i * dc, r + i * dr) in cells for i in range(4))
        for c, r in cells
        for dc, dr in ((1, 0), (0, 1), (1, 1), (1, -1))
    )


@given(st.lists(st.integers(0, COLUMNS - 1), max_size=42))
def test_bit_boards_find_the_same_fours_as_counting(columns):
    game, cells, heights = ConnectFour(), (set(), set()), [0] * COLUMNS
    for column in columns:
        if game.over:
            break
        if heights[column] == ROWS:
            with pytest.raises(IllegalMove, match="full"):
                game.play(str(column + 1))
            continue
        cells[game.to_move].add((column, heights[column]))
        heights[column] += 1
        game.play(str(column + 1))
        assert [connected(s) for s in game.stones] == [naive_four(c) for c in cells]


def test_taking_back_restores_the_position():
    game = ConnectFour()
    for column in (3, 3, 2, 4, 3):
        game.drop(column)
    before = (list(game.stones), list(game.heights), game.played)
    game.drop(6)
    game.take_back(6)
    assert (game.stones, game.heights, game.played) == before


def test_the_value_of_kuhn_poker_in_equilibrium_is_minus_one_eighteenth():
    fair = STRATEGIES["equilibrium"]
    assert value(fair, fair) == pytest.approx(-1 / 18)
    assert value(best_response(fair, 0), fair) == pytest.approx(-1 / 18)  # nobody gains by leaving it
    assert -value(fair, best_response(fair, 1)) == pytest.approx(1 / 18)


@pytest.mark.parametrize("name", ["caller", "folder", "bluffer"])
def test_weak_opponents_lose_to_the_best_answer(name):
    weak = STRATEGIES[name]
    total = value(best_response(weak, 0), weak) - value(weak, best_response(weak, 1))
    assert total > 0.1
    for card in CARDS:  # no single change of decision does better
        for past in ("", "kb"):
            changed = dict(best_response(weak, 0))
            changed[card, past] = 1 - changed[card, past]
            assert value(changed, weak) <= value(best_response(weak, 0), weak) + 1e-12


def test_a_match_of_kuhn_poker_pays_as_the_cards_say():
    game = KuhnPoker(["KQ", "JQ", "QJ"])
    for move in ("bet", "call", "check", "bet", "fold", "check", "check"):
        game.play(move)
    # The king beats the queen for 2; the queen, to act first, checks and folds to the jack; the queen beats the jack.
    assert game.over and game.net == 2 + 1 + 1
    assert game.won(0) and not game.won(1)


def test_each_player_of_kuhn_poker_is_told_how_the_last_hand_went_for_it():
    game = KuhnPoker(["KQ", "JQ", "QJ"])
    for move in ("bet", "call"):
        game.play(move)
    assert game.observe(0) == "hand 1: your K against Q, you win 2\nyour card: J; so far: nothing"
    assert game.observe(1) == "hand 1: your Q against K, you lose 2\nyour card: Q; so far: nothing"
    for move in ("bet", "fold"):  # nobody sees the cards of a hand that was folded
        game.play(move)
    assert game.observe(1).startswith("hand 2: a fold, you win 1\n")


def test_a_player_of_kuhn_poker_sees_only_its_own_card():
    game = KuhnPoker(["KQ"])
    assert game.observe(0) == "your card: K; so far: nothing"
    assert game.observe(1) == "your card: Q; so far: nothing"


def test_uncovering_a_zero_opens_everything_that_touches_it():
    game = Minesweeper(4, frozenset({(3, 3)}), (0, 0))
    assert game.observe() == "0000\n0000\n0011\n001?"
    assert game.over and game.score() == 1.0
    lost = Minesweeper(3, frozenset({(0, 0), (2, 2)}), (0, 1))
    lost.play("1 1")
    assert lost.over and not lost.won()


def test_what_minesweeper_deduces_is_never_a_mine():
    rng = np.random.default_rng(1)
    cells = [(r, c) for r in range(5) for c in range(5)]
    for _ in range(40):
        order = [cells[i] for i in rng.permutation(25)]
        game = Minesweeper(5, frozenset(order[:4]), order[-1])
        while not game.over and (safe := game.deduced()):
            assert not safe & game.mines
            game.uncover(min(safe))


def test_boxes_are_pushed_and_never_pulled():
    game = Sokoban(["######", "#P$.G#", "######"])
    game.play("right")
    assert game.observe().splitlines()[1] == "#.P$G#"
    game.play("left")
    assert game.observe().splitlines()[1] == "#P.$G#"
    for _ in range(2):
        game.play("right")
    assert game.over and game.observe().splitlines()[1] == "#..P*#"
    with pytest.raises(IllegalMove):
        game.play("right")


def test_a_box_that_begins_on_a_goal_pays_nothing():
    game = Sokoban(["########", "#*P$.$G#", "#.....G#", "########"])
    game.play("down")
    assert game.score() == 0.0
    game.boxes = frozenset([(1, 1), (1, 6), (2, 5)])
    assert game.score() == 0.5
    game.boxes = game.goals
    assert game.score() == 1.0 and game.won()


def test_difficulty_of_sokoban_is_the_length_of_a_shortest_solution():
    env = make("assay/Sokoban-v0", moves=(5, 7))
    for task in env.tasks.head(20):
        assert 5 <= task.difficulty <= 7
        assert len(env.demonstration(task)) == task.difficulty


@pytest.mark.parametrize("name", ["things", "cities"])
def test_any_two_entries_of_a_table_differ_in_some_property(name):
    table = read_table(name)
    assert len(set(table.values())) == len(table) > 60
    assert not set(table) & set().union(*table.values())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("is it an animal?", "yes"),
        ("is it a plant", "no"),
        ("is it a cat or a dog?", "ask about one thing, without"),
        ("isn't it a plant?", "ask about one thing, without"),
        ("animal plant food", "ask about one thing at a time"),
        ("what is it", "ask about one property"),
    ],
)
def test_one_question_tells_one_thing(question, answer):
    env = make("assay/TwentyQuestions-v0")
    task = next(task for task in env.tasks if task.target == "horse")
    (step,) = episode(env, task, [question])
    assert said(step).startswith(answer)


def test_the_dealers_score_is_the_share_of_what_could_be_gained():
    env = make("assay/CarDealer-v0", patience=2)
    task = env.tasks[0]
    cost, budget, first = (task.metadata[key] for key in ("cost", "budget", "first"))
    (step,) = episode(env, task, ["#accept"])
    assert step[4]["verdict"].score == pytest.approx(max(0, (first - cost) / (budget - cost)))
    steps = episode(env, task, [f"#{budget}", f"#{budget:,}"])
    assert steps[-1][4]["verdict"].score == 1.0
    steps = episode(env, task, [f"#{budget + 100}"] * 2)
    assert steps[-1][2] and steps[-1][4]["verdict"].score == 0.0  # the buyer has left


def test_a_closed_container_hides_what_is_in_it():
    env = make("assay/TextNav-v0", rooms=3)
    for task in env.tasks.head(40):
        plan = task.metadata
        place = plan["things"][plan["thing"]]
        if place in plan["containers"] and place not in plan["open"]:
            env.reset(options={"task": task})
            env.game.at = plan["containers"][place]
            assert plan["thing"] not in env.game.observe()
            with pytest.raises(IllegalMove):
                env.game.play(f"take {plan['thing']}")
            env.game.play(f"open {place}")
            assert f"with {plan['thing']}" in env.game.observe() or f"and {plan['thing']}" in env.game.observe()
            return
    raise AssertionError("no such house among the first tasks")


def test_slippery_ice_is_the_same_ice_for_the_whole_group():
    env = make("assay/FrozenLake-v0", slippery=True)
    task = env.tasks[0]
    walks = [[said(step) for step in episode(env, task, ["#right", "#down"] * 4, seed=s)] for s in (1, 2)]
    assert walks[0] == walks[1]
    straight = make("assay/FrozenLake-v0")
    assert any(
        [said(s) for s in episode(env, t, ["#right"] * 4)] != [said(s) for s in episode(straight, t, ["#right"] * 4)]
        for t in straight.tasks.head(20)
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Maze", {"size": 1}),
        ("Maze", {"view": "sky"}),
        ("Sokoban", {"boxes": 9}),
        ("Minesweeper", {"mines": 9}),
        ("Twenty48", {"target": 100}),
        ("Wordle", {"vocabulary": 1}),
        ("ConnectFour", {"opponent": "god"}),
        ("KuhnPoker", {"opponent": "god"}),
        ("CarDealer", {"patience": 1}),
        ("TextNav", {"rooms": 99}),
    ],
)
def test_bad_options_are_named(name, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        make(f"assay/{name}-v0", **options)
