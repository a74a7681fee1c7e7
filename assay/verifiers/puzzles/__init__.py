"""Puzzles whose rules decide: any answer that keeps them is right, whether or not it is the one that was known.

Answers are read strictly (all of the text, one meaning); every check takes time linear in the answer and the rules.
"""
