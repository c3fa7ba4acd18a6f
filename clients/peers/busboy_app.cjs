// Node.js with busboy: node busboy_app.cjs PORT PROCESSES
const busboy = require('busboy')
const cluster = require('node:cluster')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')

const [port, processes] = process.argv.slice(2).map(Number)

function keep(stream, filename) {
  return new Promise((resolve, reject) => {
    const name = crypto.randomUUID()
    const digest = crypto.createHash('sha256')
    const file = fs.createWriteStream(path.join(process.env.PEER_STORE, name))
    let size = 0
    stream.on('data', (block) => { digest.update(block); size += block.length })
    stream.pipe(file)
    file.on('error', reject)
    file.on('finish', () => resolve({ filename, size, sha256: digest.digest('hex'), href: `/files/${name}` }))
  })
}

function add(object, name, value) {
  if (!object[name]) object[name] = []
  object[name].push(value)
}

function answer(response, status, value) {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

function readForm(request, response) {
  const form = {}
  const kept = []
  const parser = busboy({ headers: request.headers })
  parser.on('field', (name, value) => add(form, name, value))
  parser.on('file', (name, stream, info) => kept.push(keep(stream, info.filename).then((told) => [name, told])))
  parser.on('error', () => answer(response, 400, {}))
  parser.on('close', async () => {
    const files = {}
    for (const [name, told] of await Promise.all(kept)) add(files, name, told)
    answer(response, 200, { form, files, json: null })
  })
  request.pipe(parser)
}

function readJson(request, response) {
  const blocks = []
  request.on('data', (block) => blocks.push(block))
  request.on('end', () => answer(response, 200, { form: {}, files: {}, json: JSON.parse(Buffer.concat(blocks)) }))
}

function upload(request, response) {
  const isJson = (request.headers['content-type'] || '').startsWith('application/json')
  return isJson ? readJson(request, response) : readForm(request, response)
}

if (cluster.isPrimary && processes > 1) {
  for (let n = 0; n < processes; n++) cluster.fork()
} else {
  const server = http.createServer(upload)
  server.requestTimeout = 0 // a large file may take longer than its five minutes
  server.listen(port, '127.0.0.1')
}
