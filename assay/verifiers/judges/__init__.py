"""Model judges over any `core.chat.ChatModel`, hardened.

What every judge here keeps to: an answer without a content token never reaches the model; an answer that speaks to
the grader is refused; what the agent wrote stands between delimiters with a random nonce, and the model must repeat
the nonce in its JSON, so that neither quoting nor forging a verdict works; a reply that cannot be read is no verdict;
calls, tokens and seconds are in `Verdict.details["judge"]`; a budget caps them.
"""
