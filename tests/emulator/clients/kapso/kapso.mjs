// Kapso's client, unmodified but for baseUrl, as a client and as a bot behind the emulator.
//
//     TOLD='{"url": …, "phoneNumberId": …, "wabaId": …, "token": …, "appSecret": …,
//            "verifyToken": …, "wamid": …}' node kapso.mjs
//
// Prints one line of JSON: what each method gave (a wamid, true, or the error), and where the bot
// listens. Then it answers webhooks until its standard input ends. test_kapso.py runs it.

import http from "node:http";
import { buildTemplatePayload, GraphApiError, WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";

const { url, phoneNumberId, wabaId, token, appSecret, verifyToken, wamid } = JSON.parse(
  process.env.TOLD,
);
const client = new WhatsAppClient({ baseUrl: url, graphVersion: "v25.0", accessToken: token });
const { messages, media, templates, phoneNumbers } = client;
const ann = { phoneNumberId, to: "+4915550000001" };
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4]);
const link = "https://b.example/file";
const row = { id: "soup", title: "Soup", description: "hot" };
const buttons = [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }];
const card = (cardIndex) => ({
  cardIndex,
  header: { type: "image", image: { link } },
  bodyText: `Card ${cardIndex}`,
  action: { displayText: "View", url: "https://b.example/one" },
});

const results = {};
async function attempt(name, call) {
  try {
    const answer = await call();
    results[name] = answer?.messages?.[0]?.id ?? answer ?? null;
  } catch (error) {
    const isGraph = error instanceof GraphApiError;
    results[name] = { error: isGraph ? error.code : String(error.message).slice(0, 300) };
  }
  return results[name];
}

const upload = (data, type) =>
  media.upload({ phoneNumberId, type, fileName: "a.bin", file: new Blob([data], { type }) });

await attempt("upload", async () => (await upload(png, "image/png")).id);
const id = results.upload;
await attempt("upload bytes without a type", () =>
  media.upload({ phoneNumberId, type: "image/png", file: png }),
);
await attempt("media.get", async () => (await media.get({ mediaId: id, phoneNumberId })).fileSize);
await attempt("media.download", async () => {
  const data = await media.download({ mediaId: id, auth: "always" });
  return Buffer.compare(Buffer.from(data), Buffer.from(png)) === 0;
});
await attempt("media.download without its token", async () => {
  return (await media.download({ mediaId: id, as: "response" })).status;
});

const sends = {
  sendText: { body: "hello", previewUrl: true, bizOpaqueCallbackData: "our-own-id" },
  sendImage: { image: { id, caption: "look" } },
  sendVideo: { video: { link } },
  sendAudio: { audio: { link, voice: true } },
  sendDocument: { document: { link, filename: "bill.pdf" } },
  sendSticker: { sticker: { link } },
  sendLocation: { location: { latitude: 52.5, longitude: 13.4, name: "Here", address: "There" } },
  sendContacts: { contacts: [{ name: { formattedName: "Bob" }, phones: [{ phone: "+15550000002" }] }] },
  sendReaction: { reaction: { messageId: wamid, emoji: "❤" } },
  sendTemplate: { template: { name: "hello_world", language: { code: "en_US" } } },
  "sendTemplate with names": {
    template: buildTemplatePayload({
      name: "order_update",
      language: "en_US",
      components: [
        { type: "header", parameters: [{ type: "text", parameter_name: "order_id", text: "A-17" }] },
        { type: "body", parameters: [{ type: "text", parameter_name: "first_name", text: "Ann" }] },
      ],
    }),
  },
  sendInteractiveButtons: { bodyText: "Well?", footerText: "today", buttons },
  sendInteractiveList: { bodyText: "?", buttonText: "Menu", sections: [{ title: "Food", rows: [row] }] },
  sendInteractiveProduct: { bodyText: "This", catalogId: "1", productRetailerId: "a" },
  sendInteractiveProductList: {
    bodyText: "These",
    header: { type: "text", text: "Goods" },
    catalogId: "1",
    sections: [{ title: "All", productItems: [{ productRetailerId: "a" }] }],
  },
  sendInteractiveFlow: { bodyText: "Fill in", parameters: { flowId: "1", flowCta: "Open", flowToken: "t" } },
  sendInteractiveAddress: { bodyText: "Where to?", parameters: { country: "IN" } },
  sendInteractiveLocationRequest: { bodyText: "Where?", parameters: { requestMessage: "Where?" } },
  sendInteractiveCallPermission: { bodyText: "May we?", parameters: { phoneNumber: "+4915550000001" } },
  sendInteractiveCtaUrl: { bodyText: "Look", parameters: { displayText: "Go", url: link } },
  sendInteractiveCarousel: { bodyText: "Choose", cards: [card(0), card(1)] },
  sendInteractiveCatalogMessage: { bodyText: "All of it" },
};
for (const [name, rest] of Object.entries(sends)) {
  await attempt(name, () => messages[name.split(" ")[0]]({ ...ann, ...rest }));
}
await attempt("sendText by business-scoped id", () =>
  messages.sendText({ phoneNumberId, recipient: "DE.1000000000000001", body: "hello" }),
);
await attempt("sendRaw", () =>
  messages.sendRaw({
    phoneNumberId,
    payload: { messaging_product: "whatsapp", to: ann.to, type: "text", text: { body: "raw" } },
  }),
);
await attempt("markRead", async () => {
  const typing = { phoneNumberId, messageId: wamid, typingIndicator: { type: "text" } };
  return (await messages.markRead(typing)).success;
});
await attempt("sendText to nobody's window", () =>
  messages.sendText({ phoneNumberId, to: "+15550000002", body: "hello" }),
);

const season = { businessAccountId: wabaId, name: "season", language: "en_US" };
await attempt("templates.create", async () => {
  const components = [{ type: "BODY", text: "Spring is here" }];
  return (await templates.create({ ...season, category: "MARKETING", components })).status;
});
await attempt("templates.list", async () => {
  const { data } = await templates.list({ businessAccountId: wabaId, limit: 10 });
  return data.map((one) => one.name);
});
await attempt("templates.get", () => templates.get({ businessAccountId: wabaId, templateId: "1" }));
await attempt("templates.delete", async () => (await templates.delete(season)).success);
await attempt("settings.update", async () => {
  return (await phoneNumbers.settings.update({ phoneNumberId, calling: { status: "DISABLED" } })).success;
});
await attempt("settings.get", async () => {
  return (await phoneNumbers.settings.get({ phoneNumberId })).calling.status;
});
await attempt("businessProfile.update", async () => {
  return (await phoneNumbers.businessProfile.update({ phoneNumberId, about: "Bread" })).success;
});
await attempt("businessProfile.get", async () => {
  return (await phoneNumbers.businessProfile.get({ phoneNumberId })).data[0].about;
});
await attempt("deregister", async () => (await phoneNumbers.deregister({ phoneNumberId })).success);
await attempt("register", async () => {
  return (await phoneNumbers.register({ phoneNumberId, pin: "123456" })).success;
});
await attempt("media.delete", async () => (await media.delete({ mediaId: id })).success);

async function answer(message) {
  const back = { phoneNumberId, to: message.from, recipient: message.fromUserId };
  if (!message.from) delete back.to;
  if (message.type === "image") {
    const data = await media.download({ mediaId: message.image.id, auth: "always" });
    await messages.sendText({ ...back, body: `picture of ${data.byteLength} bytes` });
  } else if (message.type === "interactive") {
    await messages.sendText({ ...back, body: `tapped ${message.interactive.buttonReply.id}` });
  } else if (message.text?.body === "question") {
    await messages.sendInteractiveButtons({ ...back, bodyText: "Well?", buttons });
  } else {
    await messages.sendText({ ...back, body: `you said ${message.text.body}`, contextMessageId: message.id });
  }
}

const server = http.createServer((request, response) => {
  const query = new URL(request.url, "http://bot").searchParams;
  if (request.method === "GET") {
    const isRight = query.get("hub.verify_token") === verifyToken;
    response.writeHead(isRight ? 200 : 403).end(isRight ? query.get("hub.challenge") : "");
    return;
  }
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    const rawBody = Buffer.concat(chunks);
    const signatureHeader = request.headers["x-hub-signature-256"];
    if (!verifySignature({ appSecret, rawBody, signatureHeader })) {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(200).end();
    for (const message of normalizeWebhook(JSON.parse(rawBody)).messages) {
      await answer(message).catch((error) => console.error(error));
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  const listening = `http://127.0.0.1:${server.address().port}/hook`;
  console.log(JSON.stringify({ results, listening }));
});
process.stdin.resume().on("end", () => process.exit(0));
