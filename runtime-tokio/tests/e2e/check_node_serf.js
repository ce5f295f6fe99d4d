'use strict'
// What node-serf sees of an agent, a line for each thing. As check_serfclient.py beside this file.
//
// usage: NODE_PATH=... node check_node_serf.js HOST PORT TOKEN PEER

const Serf = require('node-serf')
const [host, port, token, peer] = process.argv.slice(2)

// A value with maps by key, and bytes told from text.
function shown (value) {
  if (Buffer.isBuffer(value)) return 'bytes ' + JSON.stringify(value.toString('latin1'))
  if (Array.isArray(value)) return '[' + value.map(shown).join(', ') + ']'
  if (value !== null && typeof value === 'object') {
    return '{' + Object.keys(value).sort().map(key => key + ': ' + shown(value[key])).join(', ') + '}'
  }
  return JSON.stringify(value)
}

function say (what, value) {
  console.log(what + ': ' + shown(value))
}

// Nothing here may take longer than this.
setTimeout(() => { console.log('timed out'); process.exit(1) }, 40000).unref()

function connect () {
  return new Promise((resolve, reject) => {
    const client = Serf.connect({ host, port: Number(port) }, error => error ? reject(error) : resolve(client))
  })
}

// The answer to a command: [error, body]. Without a body the library must be given a function alone.
function call (client, command, body) {
  return new Promise(resolve => {
    const done = (error, answer) => resolve([error ? error.message : '', answer])
    if (body === undefined) client[command](done)
    else client[command](body, done)
  })
}

// A stream once it listens, and a function for its next record.
function open (client, command, body) {
  return new Promise((resolve, reject) => {
    const records = []
    const waiting = []
    const stream = client[command](body, error => {
      if (error) reject(error)
      else resolve([stream, () => records.length ? Promise.resolve(records.shift()) : new Promise(resolve => waiting.push(resolve))])
    })
    stream.on('data', record => waiting.length ? waiting.shift()(record) : records.push(record))
  })
}

function names ([error, body]) {
  return [error, (body.Members || []).map(member => member.Name).sort()]
}

async function main () {
  const client = await connect()
  say('before auth', (await call(client, 'event', { Name: 'x' }))[0])
  client.end()

  const one = await connect()
  say('wrong token', (await call(one, 'auth', { AuthKey: 'wrong' }))[0])
  say('auth', (await call(one, 'auth', { AuthKey: token }))[0])
  const two = await connect()
  say('auth', (await call(two, 'auth', { AuthKey: token }))[0])

  const [error, { Members }] = await call(one, 'members')
  say('members', [error, Members.sort((a, b) => a.Name < b.Name ? -1 : 1)])
  say('by name', names(await call(one, 'membersFiltered', { Name: 'b' })))
  say('by status', names(await call(one, 'membersFiltered', { Status: 'alive' })))
  say('by tag', names(await call(one, 'membersFiltered', { Tags: { role: 'w.*' } })))
  say('nobody', await call(one, 'membersFiltered', { Name: 'nobody' }))

  say('tags', (await call(one, 'tags', { Tags: { key1: 'val1' } }))[0])
  say('by the new tag', names(await call(one, 'membersFiltered', { Tags: { key1: 'val1' } })))
  say('tags', (await call(one, 'tags', { DeleteTags: ['key1'] }))[0])

  const [events, event] = await open(two, 'stream', { Type: 'user:foo' })
  say('event', (await call(one, 'event', { Name: 'unheard', Payload: 'x', Coalesce: false }))[0])
  say('event', (await call(one, 'event', { Name: 'foo', Payload: 'test payload', Coalesce: false }))[0])
  const heard = await event()
  heard.LTime = typeof heard.LTime
  say('event heard', heard)
  await new Promise(resolve => events.stop(resolve))

  const [queries, query] = await open(two, 'stream', { Type: 'query:ask' })
  const [, answer] = await open(one, 'query',
    { Name: 'ask', Payload: 'payload', RequestAck: true, FilterNodes: ['a'], Timeout: 2000000000 })
  const asked = await query()
  say('query heard', { Name: asked.Name, Payload: asked.Payload, ID: typeof asked.ID })
  say('respond', (await call(two, 'respond', { ID: asked.ID, Payload: 'an answer' }))[0])
  const answers = []
  do answers.push(await answer()); while (answers[answers.length - 1].Type !== 'done')
  answers.sort((a, b) => a.Type < b.Type ? -1 : 1)
  for (const record of answers) say('answer', { Type: record.Type, From: record.From, Payload: record.Payload || null })
  await new Promise(resolve => queries.stop(resolve))

  say('join', await call(one, 'join', { Existing: [peer], Replay: false }))
  say('failed join', (await call(one, 'join', { Existing: ['127.0.0.1:9'], Replay: false }))[0] !== '')

  // After a join that failed, the body that comes with the error would be taken for that of the next command: another connection.
  one.end()
  const three = await connect()
  await call(three, 'auth', { AuthKey: token })
  const [, stats] = await call(three, 'stats')
  say('stats', Object.fromEntries(Object.entries(stats).map(([section, figures]) => [section, Object.keys(figures).sort()])))
  const [, place] = await call(three, 'getCoordinate', { Node: 'a' })
  say('coordinate', [place.Ok, Object.keys(place.Coord).sort(), place.Coord.Vec.length])

  // b lives, and says so: nothing comes of it.
  say('force-leave', (await call(three, 'forceLeave', { Node: 'b' }))[0])

  const [log, line] = await open(three, 'monitor', { LogLevel: 'DEBUG' })
  say('log', typeof (await line()).Log)
  await new Promise(resolve => log.stop(resolve))
  three.end()
  two.end()
  console.log('done')
}

main().catch(error => { console.log('failed: ' + error.message); process.exit(1) })
