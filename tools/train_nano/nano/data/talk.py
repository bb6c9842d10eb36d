"""Text alone: the dictionary, who it is, not knowing, and the commands in writing."""
import random

from . import commands, held_out, words
from .example import Example

DEFINE = ("What is {}?", "Define {}.", "What does {} mean?", "{}?")
UNKNOWN = "I do not know that word."
NOT_TAUGHT = "I do not know. I was not taught that."
TO_CALL, TO_SPANISH = "Make the call: ", "Say in Spanish: "

WHO = [
    (("Who are you?", "What are you?", "What is your name?", "Tell me who you are."), "I am nano, a very small Gemma 3n."),
    (("What can you do?", "How can you help me?", "What do you know?"), "I name shapes, read short words, write down commands, add numbers and explain common words."),
    (("Can you see?", "Can you look at pictures?"), "Yes, small pictures of shapes and words."),
    (("Can you hear?", "Can you listen?"), "Yes, short spoken commands and numbers."),
    (("Hello", "Hello!", "Hi", "Hi!", "Good morning"), "Hello! Ask me something small."),
    (("Thank you", "Thank you!", "Thanks"), "You are welcome."),
    (("How are you?", "Are you well?"), "I am a small network, and I am running."),
    (("Goodbye", "Bye", "Bye!"), "Goodbye!"),
    (("How big are you?", "How large are you?", "How many parameters do you have?"), "About twelve million parameters, in two sizes and between."),
]
_TOPICS = ("the capital of France", "the weather", "the news", "the price of gold", "the first president", "the tallest mountain", "the speed of light", "a good recipe", "a poem", "the moon landing",
           "the best football team", "my birthday", "tomorrow", "the stock market", "chess", "quantum physics", "the history of Rome", "the largest city", "a joke", "the law")
_ASK = ("Tell me about {}.", "What about {}?", "Explain {}.", "Write about {}.")


def define(r: random.Random, word: str) -> str:
    return r.choice(DEFINE).format(word)


def dictionary_turn(r: random.Random) -> tuple[str, str]:
    word, gloss = r.choice(list(words.taught().items()))
    return define(r, word), gloss


def _unknown_word(r: random.Random, held: bool) -> str:
    while True:
        word = r.choice(words.untaught()) if r.random() < 0.5 else words.made_up(r.randrange(20000))
        if held_out.unknown(word) == held:
            return word


def refusal_turn(r: random.Random) -> tuple[str, str]:
    if r.random() < 0.3:
        return r.choice(_ASK).format(r.choice(_TOPICS)), NOT_TAUGHT
    return define(r, _unknown_word(r, False)), UNKNOWN


def chat_turn(r: random.Random) -> tuple[str, str]:
    asked, answer = r.choice(WHO)
    return r.choice(asked), answer


def command_turn(r: random.Random) -> tuple[str, str]:
    while True:
        c = r.choice(commands.commands() if r.random() < 0.8 else commands.numbers())
        if c.call and held_out.phrase(c.said):
            continue
        if c.spanish and (not c.call or r.random() < 0.5):
            return TO_SPANISH + c.said, c.spanish
        if c.call:
            return TO_CALL + c.said, c.call


def dictionary_question(r: random.Random) -> Example:
    """Memory, not held out: named so in the table."""
    word, gloss = r.choice(list(words.taught().items()))
    return Example("dictionary (taught)", [(DEFINE[0].format(word), gloss)])


def refusal_question(r: random.Random) -> Example:
    return Example("not knowing", [(DEFINE[0].format(_unknown_word(r, True)), UNKNOWN)])


def command_question(r: random.Random) -> Example:
    held = [c for c in commands.commands() if held_out.phrase(c.said)]
    if r.random() < 0.5:
        return Example("call (text)", [(TO_CALL + (c := r.choice(held)).said, c.call)])
    return Example("Spanish (text)", [(TO_SPANISH + (c := r.choice([c for c in held if c.spanish])).said, c.spanish)])
