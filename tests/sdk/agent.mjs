// Anthropic's Agent SDK, with a tool of this very process. It starts the Claude Code that it is told.

import { createSdkMcpServer, query, tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";

import { play, say } from "./scenario.mjs";

const tides = tool("tides", "When it is high water", { place: z.string(), days: z.number().optional() }, (input) => {
  say({ ran: input });
  return { content: [{ type: "text", text: `High water at ${input.place} is at noon.` }] };
});

const scenarios = {
  async ask({ prompt, claude, folder, environment }) {
    const options = {
      pathToClaudeCodeExecutable: claude,
      cwd: folder,
      env: environment,
      settingSources: [],
      tools: [], // none of Claude Code's own
      mcpServers: { harbour: createSdkMcpServer({ name: "harbour", version: "1.0.0", tools: [tides] }) },
      allowedTools: ["mcp__harbour__tides"],
    };
    for await (const message of query({ prompt, options })) {
      if (message.type === "assistant") say({ said: message.message.content });
      if (message.type === "result") say({ result: [message.subtype, message.result] });
    }
  },
};

await play(scenarios, () => undefined);
