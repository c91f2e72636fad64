// What the page asks of the emulator. A refusal is an `Error` with the emulator's sentence.

export async function call(name, said = {}) {
  return answerOf(
    await post(`/phone/api/${name}`, {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(said),
    }),
  );
}

/** Send a file as `said.person`; without a file the emulator's own sample of `said.kind`. */
export async function upload(said, file = null) {
  const headers = { "Phone-Details": encodeURIComponent(JSON.stringify(said)) };
  if (file) headers["Content-Type"] = file.type || "application/octet-stream";
  return answerOf(await post("/phone/api/upload", { headers, body: file }));
}

/** Both bodies of one exchange on the wire. */
export async function exchange(number) {
  return answerOf(await fetch(`/phone/wire/${number}`));
}

async function post(path, init) {
  try {
    return await fetch(path, { method: "POST", ...init });
  } catch {
    throw new Error("the emulator does not answer");
  }
}

async function answerOf(response) {
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(said.error ?? `the emulator refused (${response.status})`);
  return said;
}
