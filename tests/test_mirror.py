"""Each module has its tests under the same name, so that they are found without a search; a table names the others."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "tray_app"

COVERED_BY = {
    "__main__.py": "test_command_line.py",
    "errors.py": "proxy/exchange/test_errors_in_answers.py",
    "sentences.py": "status/test_messages.py",
    "app/background.py": "commands/test_start.py",
    "app/clicks.py": "app/test_tray_app.py",
    "app/health.py": "commands/test_start.py",
    "app/claude_setup.py": "test_command_line.py",
    "app/job_thread.py": "app/test_tray_app.py",
    "claude_code/journal.py": "claude_code/test_all_sessions.py",
    "catalog/model.py": "catalog/test_rows.py",
    "claude_code/shell_syntax.py": "claude_code/test_exports.py",
    "commands/judge_key.py": "test_command_line.py",
    "commands/open_settings.py": "test_command_line.py",
    "commands/print_exports.py": "test_command_line.py",
    "commands/run.py": "test_command_line.py",
    "commands/running_app.py": "commands/test_start.py",
    "commands/set_key.py": "test_command_line.py",
    "commands/status.py": "commands/test_start.py",
    "commands/terminal.py": "test_command_line.py",
    "commands/undo.py": "app/test_user_sessions.py",
    "desktop/api.py": "app/test_tray_app.py",
    "desktop/detached.py": "commands/test_start.py",
    "desktop/linux/icon.py": "app/test_tray_app.py",
    "desktop/linux/tray_backend/session_bus.py": "desktop/linux/tray_backend/test_status_notifier.py",
    "desktop/windows/desktop.py": "bundle/test_wine_app.py",
    "desktop/windows/win32.py": "desktop/windows/test_icon.py",
    "history/record.py": "history/test_reader.py",
    "history/schema.py": "history/test_database.py",
    "proxy/exchange/aside.py": "proxy/exchange/test_nobody_waits.py",
    "proxy/exchange/attempt.py": "proxy/exchange/test_retries.py",
    "proxy/exchange/client_stream.py": "proxy/upstream/test_faults.py",
    "proxy/exchange/exchange.py": "proxy/exchange/test_retries.py",
    "proxy/exchange/exchange_log.py": "proxy/exchange/test_body_log.py",
    "proxy/exchange/gateway.py": "proxy/test_service.py",
    "proxy/exchange/intake.py": "proxy/exchange/test_answers.py",
    "proxy/exchange/progress_book.py": "proxy/exchange/test_progress.py",
    "proxy/exchange/ready_reply.py": "proxy/exchange/test_empty_answer.py",
    "proxy/exchange/replies.py": "proxy/exchange/test_retries.py",
    "proxy/exchange/translator.py": "proxy/exchange/test_bodies.py",
    "proxy/models/look.py": "proxy/models/test_stories.py",
    "proxy/models/probe.py": "proxy/models/test_finder.py",
    "proxy/server/connection_limit.py": "proxy/server/test_connections.py",
    "proxy/server/error_answers.py": "proxy/exchange/test_errors_in_answers.py",
    "proxy/server/keep_history.py": "proxy/exchange/test_notes.py",
    "proxy/server/listener.py": "proxy/server/test_connections.py",
    "proxy/server/messages.py": "proxy/server/test_routes.py",
    "proxy/upstream/chat_response.py": "proxy/upstream/test_odd_upstream.py",
    "proxy/upstream/client.py": "proxy/upstream/test_odd_upstream.py",
    "proxy/upstream/line.py": "proxy/upstream/test_pacing.py",
    "proxy/upstream/learned_file.py": "proxy/upstream/test_learned_quirks.py",
    "proxy/upstream/session.py": "proxy/upstream/test_system_proxy.py",
    "proxy/upstream/timeouts.py": "proxy/exchange/test_retries.py",
    "proxy/workers/frames.py": "proxy/workers/test_pool.py",
    "proxy/workers/pdf_text.py": "proxy/exchange/test_pdf.py",
    "proxy/workers/process.py": "proxy/workers/test_pool.py",
    "proxy/workers/question_pieces.py": "proxy/workers/test_jobs.py",
    "proxy/workers/worker.py": "proxy/workers/test_pool.py",
    "settings/checks.py": "settings/test_settings.py",
    "settings/config.py": "proxy/test_service.py",
    "settings/parsing.py": "settings/test_settings.py",
    "settings/schema.py": "settings/test_settings.py",
    "settings/system_keyring.py": "settings/test_keys.py",
    "status/delays.py": "status/test_messages.py",
    "status/live.py": "proxy/exchange/test_live.py",
    "status/progress.py": "proxy/exchange/test_progress.py",
    "status/troubles.py": "status/test_messages.py",
    "translate/answer/block_queue.py": "translate/answer/test_stream.py",
    "translate/answer/blocks.py": "translate/answer/test_stream.py",
    "translate/answer/emitter.py": "translate/answer/test_stream.py",
    "translate/answer/empty_message.py": "proxy/exchange/test_empty_answer.py",
    "translate/answer/ending.py": "translate/answer/test_answer.py",
    "translate/answer/envelope.py": "translate/answer/test_message.py",
    "translate/answer/finish.py": "translate/answer/test_answer.py",
    "translate/answer/offered_tools.py": "translate/request/test_tools.py",
    "translate/answer/receiver.py": "translate/answer/test_stream.py",
    "translate/answer/reported_usage.py": "translate/answer/test_chunk.py",
    "translate/answer/second_answer.py": "proxy/exchange/test_retries.py",
    "translate/answer/usage.py": "translate/answer/test_answer.py",
    "translate/arguments/broken_json.py": "translate/arguments/test_mending.py",
    "translate/arguments/broken_words.py": "translate/arguments/test_mending.py",
    "translate/arguments/json_tries.py": "translate/arguments/test_mending.py",
    "translate/arguments/json_value.py": "translate/arguments/test_reader.py",
    "translate/arguments/object_reader.py": "translate/arguments/test_reader.py",
    "translate/arguments/object_writer.py": "translate/arguments/test_reader.py",
    "translate/arguments/received.py": "translate/arguments/test_reader.py",
    "translate/arguments/string_ends.py": "translate/arguments/test_mending.py",
    "translate/call_ids.py": "translate/answer/test_calls.py",
    "translate/markup/block_reader.py": "translate/markup/test_call_families.py",
    "translate/markup/call_reader.py": "translate/markup/test_call_families.py",
    "translate/markup/drafts.py": "translate/markup/test_call_families.py",
    "translate/markup/grammar.py": "translate/markup/test_call_families.py",
    "translate/markup/grammars.py": "translate/markup/test_call_families.py",
    "translate/markup/json_calls.py": "translate/markup/test_call_families.py",
    "translate/markup/literals.py": "translate/markup/test_reader.py",
    "translate/markup/pieces.py": "translate/markup/test_reader.py",
    "translate/markup/tags.py": "translate/markup/test_reader.py",
    "translate/markup/text_before.py": "translate/markup/test_reader.py",
    "translate/markup/text_blocks.py": "translate/markup/test_reader.py",
    "translate/markup/think_reader.py": "translate/markup/test_reader.py",
    "translate/markup/think_tags.py": "translate/markup/test_reader.py",
    "translate/refusal/error_body.py": "translate/refusal/test_refusal.py",
    "translate/refusal/overflow_wordings.py": "translate/refusal/test_overflow.py",
    "translate/request/body.py": "translate/request/test_validation.py",
    "translate/request/control_blocks.py": "translate/request/test_chat.py",
    "translate/request/history.py": "translate/request/test_chat.py",
    "translate/request/output.py": "translate/request/test_chat.py",
    "translate/request/question.py": "proxy/workers/test_jobs.py",
    "translate/request/search.py": "translate/answer/test_web_search.py",
    "translate/request/server_blocks.py": "translate/request/test_chat.py",
    "translate/request/server_results.py": "translate/request/test_chat.py",
    "translate/schema/json_types.py": "translate/schema/test_schema.py",
    "translate/schema/limits.py": "translate/schema/test_schema.py",
    "translate/schema/simplified.py": "translate/schema/test_schema.py",
    "translate/schema/subschemas.py": "translate/schema/test_schema.py",
    "translate/schema/union_types.py": "translate/schema/test_schema.py",
    "translate/signature.py": "translate/answer/test_omitted_thinking.py",
    "tray/icon.py": "app/test_tray_app.py",
}
"""Module -> the tests that cover it, if they have another name; empty if nothing here can run it."""

MODULES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_tests_of_its_name_or_a_row_that_says_where_they_are(module: str) -> None:
    path = Path(module)
    own = TESTS / path.with_name(f"test_{path.name}")
    covering = COVERED_BY.get(module)
    assert own.is_file() is (covering is None), f"{module}: tests of its own, or a row, and not both"
    assert not covering or (TESTS / covering).is_file(), covering


def test_the_table_has_no_rows_of_modules_that_are_gone() -> None:
    assert COVERED_BY.keys() - set(MODULES) == set()
