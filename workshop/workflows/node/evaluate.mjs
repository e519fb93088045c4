// Evaluates GitHub's expressions with GitHub's own packages: one request as JSON on each line, one answer for each.
//
// A request is {where, contexts, closed, status}, and either `value`, of which every template in every string is
// filled in, or `condition`, an `if:`. `where` names a definition of GitHub's schema of workflow files, which says
// which contexts and functions there are. What a context lacks is unknown, unless the context is one of `closed`:
// then it is null. A template with an unknown value in it stays as it is; an unknown condition is null.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { data, Evaluator, Lexer, Parser, wellKnownFunctions } from "@actions/expressions";
import { truthy } from "@actions/expressions/result";
import { ensureStatusFunction } from "@actions/workflow-parser/model/converter/if-condition";
import { splitAllowedContext } from "@actions/workflow-parser/templates/allowed-context";

const SCHEMA = new URL("node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json", import.meta.url);
const { definitions } = JSON.parse(readFileSync(SCHEMA, "utf-8"));
const TEMPLATE = /\$\{\{((?:'(?:[^']|'')*'|(?!\}\})[^'])*)\}\}/g;

class Unknown extends Error {}

class Open extends data.Dictionary {
  get(key) {
    const value = super.get(key);
    if (value === undefined) throw new Unknown();
    return value;
  }
  values() {
    throw new Unknown();
  }
  pairs() {
    throw new Unknown();
  }
}

function toData(value, Dictionary) {
  if (Array.isArray(value)) return new data.Array(...value.map((item) => toData(item, Dictionary)));
  if (value === null || typeof value !== "object") return data.reviver("", value);
  return new Dictionary(...Object.entries(value).map(([key, item]) => ({ key, value: toData(item, Dictionary) })));
}

class Request {
  constructor({ where, contexts, closed, status }) {
    this.allowed = definitions[where].context;
    const pairs = Object.entries(contexts).map(([key, value]) => ({
      key,
      value: toData(value, closed.includes(key) ? data.Dictionary : Open),
    }));
    this.contexts = new Open(...pairs);
    const { results = {}, cancelled = false } = status ?? {};
    const chosen = (ids) => (ids.length ? ids.map((id) => results[id.coerceString()]) : Object.values(results));
    const functions = {
      always: () => true,
      cancelled: () => cancelled,
      failure: (...ids) => chosen(ids).includes("failure"),
      success: (...ids) => chosen(ids).every((result) => result === "success"),
      hashfiles: () => {
        throw new Unknown();
      },
    };
    this.functions = new Map(
      Object.entries(functions).map(([name, call]) => [
        name,
        { name, call: (...given) => new data.BooleanData(call(...given)) },
      ]),
    );
  }

  // Returns what `use` makes of the value, or undefined where that is unknown.
  evaluate(expression, use) {
    const { namedContexts, functions } = splitAllowedContext(this.allowed);
    const tree = new Parser(new Lexer(expression).lex().tokens, namedContexts, functions).parse();
    if (!tree) throw new Error("an expression is empty");
    try {
      return use(new Evaluator(tree, this.contexts, this.functions).evaluate());
    } catch (error) {
      for (let cause = error; cause; cause = cause.cause) if (cause instanceof Unknown) return undefined;
      throw error;
    }
  }

  fill(value) {
    if (Array.isArray(value)) return value.map((item) => this.fill(item));
    if (value === null || typeof value === "object") {
      return value && Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item)]));
    }
    if (typeof value !== "string") return value;
    if (value.replace(TEMPLATE, "").includes("${{")) throw new Error(`a template does not end in ${value}`);
    const found = [...value.matchAll(TEMPLATE)];
    if (found.length === 1 && found[0][0] === value) {
      const whole = this.evaluate(found[0][1], (result) => wellKnownFunctions.tojson.call(result).coerceString());
      return whole === undefined ? value : JSON.parse(whole);
    }
    return value.replace(TEMPLATE, (text, expression) => this.evaluate(expression, (result) => result.coerceString()) ?? text);
  }

  decide(condition) {
    const text = String(condition ?? "");
    const found = [...text.matchAll(TEMPLATE)];
    if (text.includes("${{") && found[0]?.[0] !== text) {
      throw new Error(`there is text beside the template, so this is always true: ${text}`);
    }
    const expression = (found.length ? found[0][1] : text).trim() || "success()";
    return this.evaluate(ensureStatusFunction(expression, { allowedContext: this.allowed }), truthy) ?? null;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let answer;
  try {
    const request = new Request(asked);
    answer = { value: "condition" in asked ? request.decide(asked.condition) : request.fill(asked.value) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
