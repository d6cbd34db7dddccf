// Anthropic's own SDK.

import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { betaMemoryTool } from "@anthropic-ai/sdk/helpers/beta/memory";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { BetaLocalFilesystemMemoryTool } from "@anthropic-ai/sdk/tools/memory/node";

import { MAX_TOKENS, MODEL, THINKING_TOKENS, play, reportWeather, say, stayAlive } from "./scenario.mjs";

const getWeather = betaTool({
  name: "get_weather",
  description: "Weather of a city",
  inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  run: reportWeather,
});

const forecast = jsonSchemaOutputFormat({
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"],
  additionalProperties: false,
});

const connect = ({ url }) => new Anthropic({ baseURL: url, apiKey: "any" });

const question = ({ prompt = "Hello", fields = {} }) => ({
  model: MODEL,
  max_tokens: MAX_TOKENS,
  thinking: { type: "enabled", budget_tokens: THINKING_TOKENS },
  messages: [{ role: "user", content: prompt }],
  ...fields,
});

const summarize = ({ id, content, stop_reason, stop_sequence, usage }) => ({
  message: { id, content, stop_reason, stop_sequence, usage },
});

// Says each piece as it comes, then the message that the SDK made of them.
async function follow(stream) {
  for await (const { type, delta } of stream) {
    if (type !== "content_block_delta") continue;
    if (delta.type === "thinking_delta") say({ thinking: delta.thinking });
    if (delta.type === "text_delta") say({ text: delta.text });
    if (delta.type === "input_json_delta") say({ input_json: delta.partial_json });
  }
  const message = await stream.finalMessage();
  say(summarize(message));
  return message;
}

async function runTools(options, tools) {
  const { stream } = options;
  const runner = connect(options).beta.messages.toolRunner({ ...question(options), tools, stream });
  for await (const answer of runner) await (stream ? follow(answer) : say(summarize(answer)));
}

const scenarios = {
  async plain(options) {
    say(summarize(await connect(options).messages.create(question(options))));
  },

  async stream(options) {
    await follow(connect(options).messages.stream(question(options)));
  },

  async chat(options) {
    const client = connect(options);
    const messages = [];
    for (const prompt of options.prompts) {
      messages.push({ role: "user", content: prompt });
      const { content } = await follow(client.messages.stream({ ...question(options), messages }));
      messages.push({ role: "assistant", content });
    }
  },

  async loop(options) {
    await runTools(options, [getWeather]);
  },

  async leave(options) {
    for await (const { delta } of connect(options).messages.stream(question(options))) {
      if (delta?.type === "text_delta") break;
    }
    say({ left: true });
    stayAlive();
  },

  async count(options) {
    const { model, messages } = question(options);
    const { input_tokens } = await connect(options).messages.countTokens({ model, messages });
    say({ input_tokens });
  },

  async models({ url, ...limits }) {
    for await (const model of connect({ url }).models.list(limits)) {
      say({ model: [model.id, model.display_name, model.lifecycle] });
    }
  },

  async retrieve(options) {
    const { id, display_name, lifecycle } = await connect(options).models.retrieve(options.model);
    say({ model: [id, display_name, lifecycle] });
  },

  async parse(options) {
    const { messages } = connect(options);
    const asked = { ...question(options), output_config: { format: forecast } };
    if (!options.stream) {
      say({ parsed: (await messages.parse(asked)).parsed_output });
      return;
    }
    const answer = messages.stream(asked);
    answer.on("text", (text) => say({ text }));
    say({ parsed: (await answer.finalMessage()).parsed_output });
  },

  // The SDK's own memory tool, which keeps notes in a folder.
  async notes(options) {
    await runTools(options, [betaMemoryTool(await BetaLocalFilesystemMemoryTool.init(options.folder))]);
  },

  // Tools that are offered by their type alone, as the API knows their schema.
  async known(options) {
    const make = (definition) => ({
      ...definition,
      parse: (input) => input,
      run(input) {
        say({ ran: [definition.name, input] });
        return "done";
      },
    });
    await runTools(options, options.tools.map(make));
  },
};

await play(scenarios, (error) => {
  if (!(error instanceof APIError)) return undefined;
  const { name } = error.constructor;
  return { name, status: error.status, type: error.type, message: error.message, request_id: error.requestID };
});
