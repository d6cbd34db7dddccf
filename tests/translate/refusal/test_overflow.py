"""The error for a prompt that is too long, in the words of many servers, and other errors with similar words."""

from __future__ import annotations

import re

import pytest

from tray_app.translate.refusal.counts import NO_COUNTS, Counts
from tray_app.translate.refusal.overflow import LEAST_ROOM_TOKENS, find_overflow

WINDOW, ESTIMATE = 131_072, 20
TOO_LONG = re.compile(r"^prompt is too long: (\d+) tokens > (\d+) maximum$")

WORDINGS: dict[str, tuple[str, ...]] = {
    # vLLM, 2023 to 2026
    "140000 > 131072": (
        "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (131808 in the "
        "messages, 8192 in the completion). Please reduce the length of the messages or completion.",
        "This model's maximum context length is 131,072 tokens. However, your request has 140,000 input tokens.",
    ),
    "140001 > 131072": (
        "This model's maximum context length is 131072 tokens. However, your messages resulted in 140001 tokens. "
        "Please reduce the length of the messages.",
        "You passed 140001 input tokens and requested 4096 output tokens. However, the model's context length is only "
        "131072 tokens, resulting in a maximum input length of 126976 tokens. Please reduce the length of the input "
        "prompt. (parameter=input_tokens, value=140001)",
        "You passed 140001 input tokens and requested 1024 output tokens. However, the model's context length is only "
        "131072, resulting in a maximum input length of 130048. Please reduce the length of the input messages.",
        "This model's maximum context length is 131072 tokens. However, your prompt contains at least 140001 input "
        "tokens, which exceeds this limit even without any output tokens.",
        "this model's maximum context length is 131072 tokens, but the prompt contains 140001 input tokens",
        "The decoder prompt (length 140001) is longer than the maximum model length of 131072. Make sure that "
        "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
        "Prompt length of 140001 is longer than the maximum model length of 131072.",
        "The prompt (total length 140001) is too long to fit into the model (context length 131072).",
        "Input prompt (140001 tokens) is too long and exceeds limit of 131072",
        # SGLang
        "The input (140001 tokens) is longer than the model's context length (131072 tokens).",
        "Input length (140001 tokens) exceeds the maximum allowed length (131072 tokens). Use a shorter input or "
        "enable --allow-auto-truncate.",
        "Input length (140001) exceeds model's maximum context length (131072).",
        # TensorRT-LLM, Triton, NIM
        "Prompt length (140001) exceeds maximum input length (131072). Set log level to info and check the logs",
        "Encountered an error when fetching new request: Prompt length (140001) exceeds maximum input length (131072)",
        "Cannot process new request: Prompt length (140001) exceeds maximum sequence length (131072)",
        "The sum of prompt length (140001.0), query length (0) should not exceed max_num_tokens (131072)",
        "`default_max_tokens` (-8929) must be greater than 0, `default_max_tokens` (-8929) = max_seq_len (131072) - "
        "`splited_prompt_len` (140001) - `query_token_len` (0)",
        "Input length 140001 exceeds the maximum allowed input length of 131072 tokens.",
        "Requested input length 140001 exceeds maximum input length 131072",
        "Input length 140001 exceeds maximum allowed token size 131072",
        # llama.cpp
        "request (140001 tokens) exceeds the available context size (131072 tokens), try increasing it",
        # LMDeploy, TGI, LM Studio
        "The input length (140001) exceeds session_len (131072)",
        "Input validation error: `inputs` must have less than 131072 tokens. Given: 140001",
        "Input length 140001 exceeds context length 131072",
        # hosted APIs
        "Input tokens exceed the configured limit of 131072 tokens. Your messages resulted in 140001 tokens.",
        "Prompt contains 140001 tokens, too large for model with 131072 maximum context length",
        "Prompt contains 140001 tokens and 0 draft tokens, too large for model with 131072 maximum context length",
        "Invalid request: Your request exceeded model token limit: 131072 (requested: 140001)",
        "The input token count (140001) exceeds the maximum number of tokens allowed (131072).",
        "This model's maximum prompt length is 131072 but the request contains 140001 tokens",
        "Please reduce the length of the messages or completion. Current length is 140001 while limit is 131072",
        "prompt token count of 140001 exceeds the limit of 131072",
        "Prompt has 140,001 tokens, but the configured context size is 131,072 tokens",
        "prompt is too long: 140001 tokens > 131072 maximum",
        "The prompt is too long: 140001, model maximum context length: 131072",
        "too many tokens: total number of tokens in the prompt cannot exceed 131072 - received 140001.",
        "Total tokens 140001 exceed max_model_len 131072",
        "The total number of tokens (140001) exceeds the model's context window of 131072 tokens",
        # an error within another one, as text
        "Error code: 400 - {'error': {'message': \"This model's maximum context length is 131072 tokens. However, your "
        "messages resulted in 140001 tokens.\", 'type': 'BadRequestError', 'code': 400}}",
        'litellm.BadRequestError: OpenAIException - {"error":{"message":"You passed 140001 input tokens and requested '
        '32768 output tokens. However, the model\'s context length is only 131072 tokens","code":400}}',
    ),
    "150000 > 128000": ("This request would exceed the model's maximum context of 128k tokens (got 150k tokens)",),
    "1196265 > 1048575": ("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",),
    # the answer leaves too little room, or none
    "132024 > 131072": (
        "You passed 131000 input tokens and requested 1024 output tokens. However, the model's context length is only "
        "131072 tokens, resulting in a maximum input length of 130048 tokens.",
        "Requested token count exceeds the model's maximum context length of 131072 tokens. You requested a total of "
        "132024 tokens: 131000 tokens from the input messages and 1024 tokens for the completion.",
        "The sum of prompt length (131000) and query length (0) max_tokens (1024) should not exceed max_seq_len "
        "(131072)",
        "input length and `max_tokens` exceed context limit: 131000 + 1024 > 131072, decrease input length",
    ),
    "132008 > 131072": ("max_tokens must be at least 1, got -936.",),
    # without some numbers, or with numbers of characters
    "131073 > 131072": (
        "This model's maximum context length is 131072 tokens. However, your prompt contains 900000 characters (more "
        "than 800000 characters, which is the upper bound for 131071 input tokens). (parameter=input_text, "
        "value=900000)",
        "You passed 900000 input characters and requested 1024 output tokens. However, the model's context length is "
        "only 131072 tokens, resulting in a maximum input length of 130048 tokens (at most 780288 characters).",
        "The decoder prompt (length 131072) plus the number of requested output tokens (at least 1) is longer than the "
        "maximum model length of 131072.",
        "You passed 131073 input tokens and requested 0 output tokens. However, the model's context length is only "
        "131072 tokens.",
        "Multimodal prompt is too long after expanding multimodal tokens.",
        "the request exceeds the available context size, try increasing it",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        "Context size has been exceeded.",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "internal error happened, status code ResponseType.INPUT_LENGTH_ERROR",
        "exceed session max length. Please restart the session by reset button.",
        "the input length exceeds the context length",
        "prompt too long; exceeded max context length by 4096 tokens",
        "invalid params, context window exceeds limit (2013)",
        "Prompt exceeds max length",
        "Please reduce the length of the messages or completion.",
        "tokens to keep from the initial prompt is greater than the context length",
        "Range of input length should be [1, 131072]",
        "Input is too long for requested model.",
        "The number of tokens in request more than max tokens allowed (131072).",
        "Input token length too long",
        "context length exceeded",
    ),
}


def explain(error_text: str, *names: str, counts: Counts = NO_COUNTS, estimate: int = ESTIMATE) -> str:
    """Returns the sentence for the client; empty if the error is another one."""
    error = find_overflow(error_text, names, counts, WINDOW, estimate)
    if error is None:
        return ""
    assert (error.status, error.type, error.is_transient, error.error_text) == (400, "invalid_request_error", False, "")
    return error.message


@pytest.mark.parametrize(
    ("wording", "numbers"), [(wording, numbers) for numbers, wordings in WORDINGS.items() for wording in wordings]
)
def test_a_prompt_that_is_too_long_becomes_the_error_that_makes_clients_compact(wording: str, numbers: str) -> None:
    asked, most = numbers.split(" > ")
    assert explain(wording) == f"prompt is too long: {asked} tokens > {most} maximum"
    assert explain(wording.upper()) == explain(wording)


@pytest.mark.parametrize(
    ("wording", "numbers"),
    [
        (
            "This model's maximum context length is 131072 tokens. However, you requested 132000 tokens (100000 in the "
            "messages, 32000 in the completion).",
            "100000 + 32000 > 131072",
        ),
        (
            "This model's maximum context length is 131072 tokens. However, you requested 138000 tokens (122000 in the "
            "messages, 8000 in the functions, and 16000 in the completion).",
            "122000 + 16000 > 131072",
        ),
        (
            "This model's maximum context length is 131072 tokens. However, you requested 8192 output tokens and your "
            "prompt contains at least 122881 input tokens, for a total of at least 131073 tokens.",
            "122881 + 8192 > 131072",
        ),
        (
            "You passed 170753 input tokens and requested 32000 output tokens. However, the model's context length is "
            "only 202752 tokens, resulting in a maximum input length of 170752 tokens.",
            "170753 + 32000 > 202752",
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 100000. This model's maximum context length is 8192 "
            "tokens and your request has 23 input tokens (100000 > 8192 - 23).",
            "23 + 100000 > 8192",
        ),
        (
            "Requested token count exceeds the model's maximum context length of 262144 tokens. You requested a total "
            "of 262758 tokens: 198758 tokens from the input messages and 64000 tokens for the completion.",
            "198758 + 64000 > 262144",
        ),
        (
            "This endpoint's maximum context length is 262144 tokens. However, you requested about 264433 tokens (188 "
            "of text input, 2101 of tool input, 262144 in the output).",
            "2289 + 262144 > 262144",
        ),
        (
            "`inputs` tokens + `max_new_tokens` must be <= 32768. Given: 20000 `inputs` tokens and 16000 "
            "`max_new_tokens`",
            "20000 + 16000 > 32768",
        ),
        (
            "max_tokens (64000) plus prompt tokens (100000) exceeds the context window (131072)",
            "100000 + 64000 > 131072",
        ),
        ("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000", "188240 + 21333 > 200000"),
        ("`max_tokens` (200000) exceeds the model's context length (131072)", "20 + 200000 > 131072"),
    ],
    ids=lambda value: value[:60],
)
def test_an_answer_that_is_too_long_for_the_room_left_is_named_as_the_reason(wording: str, numbers: str) -> None:
    assert explain(wording) == f"input length and `max_tokens` exceed context limit: {numbers}"


@pytest.mark.parametrize(
    ("prompt", "beginning"),
    [
        (WINDOW - LEAST_ROOM_TOKENS, "input length and `max_tokens` exceed"),
        (WINDOW - LEAST_ROOM_TOKENS + 1, "prompt is too long: "),
    ],
)
def test_the_prompt_is_too_long_if_no_useful_answer_fits(prompt: int, beginning: str) -> None:
    wording = (
        f"You passed {prompt} input tokens and requested 8192 output tokens. However, the model's context length is "
        f"only {WINDOW} tokens."
    )
    assert explain(wording).startswith(beginning)


@pytest.mark.parametrize(
    "name",
    [
        *("context_length_exceeded", "context_window_exceeded", "ContextWindowExceededError", "context_overflow"),
        *("model_context_window_exceeded", "exceed_context_size_error", "model_max_prompt_tokens_exceeded"),
        *("PROMPT_TOO_LONG", "input_too_long", "INPUT_LENGTH_ERROR"),
    ],
)
def test_the_name_of_the_error_is_enough(name: str) -> None:
    assert explain("Please look at our website.", "invalid_request_error", name) == (
        "prompt is too long: 131073 tokens > 131072 maximum"
    )
    assert explain("", name) == "prompt is too long: 131073 tokens > 131072 maximum"


def test_the_counts_are_read_from_numeric_fields() -> None:
    counts = Counts(prompt=65_646, limit=65_536)
    said = "the request exceeds the available context size, try increasing it"
    assert explain(said, counts=counts) == "prompt is too long: 65646 tokens > 65536 maximum"


@pytest.mark.parametrize(
    ("wording", "estimate", "numbers"),
    [
        ("context length exceeded", 200_000, "200000 tokens > 131072"),
        ("context length exceeded", 0, "131073 tokens > 131072"),
        ("The prompt has 50000 tokens, which exceeds the context window", 20, "50000 tokens > 49999"),
        ("prompt is longer than the model's context length of 8192", 20, "8193 tokens > 8192"),
        ("maximum context length is 0 tokens, your request has 0 input tokens", 20, "131073 tokens > 131072"),
        (f"maximum context length is {'9' * 13} tokens", 20, "131073 tokens > 131072"),
    ],
)
def test_missing_numbers_are_those_of_the_model_or_the_estimate(wording: str, estimate: int, numbers: str) -> None:
    assert explain(wording, estimate=estimate) == f"prompt is too long: {numbers} maximum"


@pytest.mark.parametrize("numbers", [*WORDINGS])
def test_the_prompt_is_always_longer_than_the_limit_in_the_error(numbers: str) -> None:
    for wording in WORDINGS[numbers]:
        for estimate in (0, 5_000, 131_072, 500_000):
            said = TOO_LONG.match(explain(wording, estimate=estimate))
            if said:
                assert int(said[1]) > int(said[2])


@pytest.mark.parametrize(
    "error_text",
    [
        # limits for the length of an answer
        "max_tokens is too large: 64000. This model supports at most 16384 completion tokens, and you asked for 64000.",
        "max_completion_tokens is too large: 64000.This model supports at most 16384 completion tokens.",
        "max_tokens (100000) exceeds the model's maximum output tokens 8192",
        "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for this model",
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
        "`context_window` for this model",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        "max_tokens exceeds the limit of 8192",
        "max_new_tokens must be <= 8192",
        "The requested output tokens exceed the maximum number of output tokens",
        "maximum output tokens exceeded: requested 100000, allowed 8192",
        "max_tokens must be at least 1, got 0.",
        # limits per time
        "Rate limit reached on tokens per min (TPM): Limit 30000, Used 25000, Requested 12000. Try again in 14s.",
        "Request too large for model on tokens per minute (TPM): Limit 6000, Requested 10000",
        "Too many tokens, please wait before trying again.",
        "You exceeded your current quota, please check your plan and billing details.",
        "daily token limit exceeded",
        "ResourceExhausted: Worker local total request limit reached (77/32)",
        # other lengths and limits
        "The tool description exceeds the maximum length of 1024 characters",
        "Invalid 'messages[1].name': string too long. Expected a string with maximum length 64, but got 96 instead.",
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got one with length 200.",
        "Too many tools: the maximum is 128",
        "stop: at most 4 sequences are supported",
        "Input image is too large: 5000x5000 pixels",
        "image exceeds 5 MB maximum: 5316852 bytes > 5242880 bytes",
        "Unsupported parameter(s): `max_context_length`",
        "temperature must be between 0 and 1, got 5",
        # other errors
        "context deadline exceeded",
        "context canceled",
        "exceeded max session duration",
        "The request exceeded the maximum time of 300 s",
        "Function id 'abc': DEGRADED function cannot be invoked",
        "CUDA out of memory. Tried to allocate 20 GiB",
        "KV cache is full",
        "Input should be a valid string",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "",
        # quotes of the request
        "1 validation error for Request messages.0.content Input should be a valid string [type=string_type, "
        "input_value='prompt is too long: 210000 tokens > 200000 maximum', input_type=str]",
        "messages.0: the text 'This model's maximum context length is 131072 tokens' is no valid role",
        'Invalid content: "prompt is too long: 210000 tokens > 200000 maximum" is not allowed here',
        "messages.0.content: no number: `Your input exceeds the context window of this model`",
    ],
    ids=lambda value: value[:60],
)
def test_other_errors_are_not_taken_for_a_prompt_that_is_too_long(error_text: str) -> None:
    assert explain(error_text) == ""


QUOTED = "This model's maximum context length is 131072 tokens. However, your messages resulted in 140000 tokens."


@pytest.mark.parametrize(
    ("request_text", "is_overflow"),
    [
        (QUOTED, False),
        (f"He said: {QUOTED} Is that bad?", False),
        (QUOTED.replace("140000", "139990"), True),
        ("Something else.", True),
    ],
    ids=["the same", "among other words", "an earlier refusal", "something else"],
)
def test_a_sentence_that_is_in_the_request_with_the_same_numbers_is_a_quote(
    request_text: str, is_overflow: bool
) -> None:
    request = (b'{"messages":[', f'{{"content":"{request_text}"}}'.encode(), b"]}")
    found = find_overflow(f"Cannot parse: {QUOTED}", (), NO_COUNTS, WINDOW, ESTIMATE, request)
    assert (found is not None) == is_overflow


def test_a_sentence_with_a_single_number_counts_even_if_it_is_in_the_request() -> None:
    said = "the request exceeds the available context size of 131072 tokens"
    request = (f'{{"messages":[{{"content":"{said}"}}]}}'.encode(),)
    assert find_overflow(said, (), NO_COUNTS, WINDOW, ESTIMATE, request)
