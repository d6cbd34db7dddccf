// The AI SDK with its Anthropic provider.

import { createAnthropic } from "@ai-sdk/anthropic";
import { APICallError, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { MAX_TOKENS, MODEL, THINKING_TOKENS, play, reportWeather, say, stayAlive } from "./scenario.mjs";

const getWeather = tool({
  description: "Weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: reportWeather,
});

const question = ({ url, prompt = "Hello", fields = {} }) => ({
  model: createAnthropic({ baseURL: `${url}/v1`, apiKey: "any" })(MODEL),
  maxOutputTokens: (fields.max_tokens ?? MAX_TOKENS) - THINKING_TOKENS, // the SDK adds the thinking to it
  stopSequences: fields.stop_sequences,
  providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: THINKING_TOKENS } } },
  messages: [{ role: "user", content: prompt }],
  onError() {}, // it would be printed, and comes as a part of the stream as well
});

// The SDK's own parts, in the words of Anthropic's API.
function toBlock({ type, text, providerMetadata, toolCallId, toolName, input }) {
  if (type === "reasoning") return { type: "thinking", thinking: text, ...providerMetadata.anthropic };
  if (type === "tool-call") return { type: "tool_use", id: toolCallId, name: toolName, input };
  return { type, text };
}

const summarize = ({ response, content, rawFinishReason, providerMetadata }) => ({
  message: {
    id: response.id,
    content: content.filter(({ type }) => type !== "tool-result").map(toBlock),
    stop_reason: rawFinishReason,
    stop_sequence: providerMetadata.anthropic.stopSequence,
    usage: providerMetadata.anthropic.usage,
  },
});

// Says each piece as it comes, then the messages that the SDK made of them.
async function follow(result) {
  for await (const part of result.fullStream) {
    if (part.type === "reasoning-delta" && part.text) say({ thinking: part.text }); // the signature is one without text
    if (part.type === "text-delta") say({ text: part.text });
    if (part.type === "tool-input-delta") say({ input_json: part.delta });
    if (part.type === "error") throw part.error;
  }
  for (const step of await result.steps) say(summarize(step));
  return (await result.response).messages;
}

const scenarios = {
  async plain(options) {
    say(summarize(await generateText(question(options))));
  },

  async stream(options) {
    await follow(streamText(question(options)));
  },

  async chat(options) {
    const messages = [];
    for (const prompt of options.prompts) {
      messages.push({ role: "user", content: prompt });
      messages.push(...(await follow(streamText({ ...question(options), messages }))));
    }
  },

  async loop(options) {
    const asked = { ...question(options), tools: { get_weather: getWeather }, stopWhen: stepCountIs(5) };
    if (options.stream) await follow(streamText(asked));
    else for (const step of (await generateText(asked)).steps) say(summarize(step));
  },

  async leave(options) {
    const controller = new AbortController();
    const result = streamText({ ...question(options), abortSignal: controller.signal });
    for await (const { type } of result.fullStream) {
      if (type === "text-delta") controller.abort();
      if (type === "abort") say({ left: true });
    }
    stayAlive();
  },
};

await play(scenarios, (error) => {
  if (APICallError.isInstance(error)) {
    const { name, message, statusCode, data, responseHeaders } = error;
    return { name, status: statusCode, type: data.error.type, message, request_id: responseHeaders["request-id"] };
  }
  // what went wrong in the middle of a stream comes as the event's own error object
  const { type, message } = error;
  return type && { type, message };
});
