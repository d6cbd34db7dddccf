// Plays the scenario that the command line names, and says what happens in lines of JSON.
//
//   node anthropic.mjs SCENARIO '{"url": "http://127.0.0.1:3001"}'

export const MODEL = "z-ai/glm4.7";
export const MAX_TOKENS = 2000;
export const THINKING_TOKENS = 1024;

export function say(line) {
  console.log(JSON.stringify(line));
}

export function reportWeather({ city }) {
  say({ ran: { city } });
  return `${city}: 3 degrees`;
}

// `explain` describes an error of the SDK; any other is a fault of the script.
export async function play(scenarios, explain) {
  const [name, json] = process.argv.slice(2);
  try {
    await scenarios[name](JSON.parse(json));
  } catch (error) {
    const explained = explain(error);
    if (!explained) throw error;
    say({ error: explained });
  }
}

// Lets the process go on until it is killed.
export function stayAlive() {
  setInterval(() => {}, 60_000);
}
