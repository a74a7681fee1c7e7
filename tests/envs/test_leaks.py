from assay.core.message import user
from assay.envs.leaks import count_leaks


def shown(*texts):
    return [((user(text),),) for text in texts]


def test_whole_words_and_numbers_only():
    leaks = count_leaks(["4", "15", "9", "27", "3.1"], shown("14 apples", "15 pears", "4.9 kg", "a27", "3.14"))
    assert leaks.found == 1


def test_one_long_target_is_enough():
    targets = ["a secret of some length", *(f"{i}{i}{i}" for i in range(1, 6))]
    leaks = count_leaks(targets, shown("psst: a secret of some length", *("nothing " * i for i in range(1, 6))))
    assert leaks.leaked and leaks.long == 1


def test_short_targets_are_compared_with_chance():
    targets = [str(100 + i) for i in range(20)]
    assert count_leaks(targets, shown(*(f"it is {t}" for t in targets))).leaked
    harmless = count_leaks(targets, shown(*(f"it is {t if i == 3 else 'hidden'} {i}" for i, t in enumerate(targets))))
    assert harmless.found == 1 and not harmless.leaked and not harmless.undecidable


def test_text_common_to_all_tasks_tells_nothing():
    instructions = user("answer with 1, 2, 3, 4 or 5")
    seen = [((instructions, user(f"question {'abcde'[i]}")),) for i in range(5)]
    assert count_leaks(["1", "2", "3", "4", "5"], seen).found == 0


def test_equal_targets_cannot_tell():
    leaks = count_leaks(["yes"] * 10, shown(*(f"yes or no? {i}" for i in range(10))))
    assert leaks.undecidable and not leaks.leaked


def test_targets_inside_structures_count():
    targets = [{"answer": ["hidden words, number", 10_000_000 + i]} for i in range(6)]
    assert count_leaks(targets, shown(*(f"{10_000_000 + i} {i}" for i in range(6)))).leaked
