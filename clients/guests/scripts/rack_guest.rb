# Rack, which Sinatra and Rails are made of.
require "digest"
require "json"
require "rack"
require "stringio"
require "webrick"

def walk(prefix, value, fields, files)
  case value
  when Hash
    if value.key?(:tempfile)
      data = value[:tempfile].read
      files << { name: value[:name], filename: value[:filename], content_type: value[:type], size: data.bytesize, sha256: Digest::SHA256.hexdigest(data) }
    else
      value.each { |key, inner| walk(prefix ? "#{prefix}[#{key}]" : key, inner, fields, files) }
    end
  when Array
    value.each { |inner| walk("#{prefix}[]", inner, fields, files) }
  else
    fields << { name: prefix, value: value }
  end
end

def read(request)
  environment = { "REQUEST_METHOD" => "POST", "CONTENT_TYPE" => request["content-type"], "CONTENT_LENGTH" => request.body.to_s.bytesize.to_s, "rack.input" => StringIO.new(request.body.to_s.b) }
  fields, files = [], []
  walk(nil, Rack::Request.new(environment).POST, fields, files)
  { form: fields, files: files }
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ARGV[0].to_i, Logger: WEBrick::Log.new(File::NULL), AccessLog: [])
server.mount_proc("/") do |request, response|
  response["Content-Type"] = "application/json"
  begin
    response.body = JSON.generate(read(request))
  rescue StandardError => error
    response.status = 400
    response.body = JSON.generate(error: error.message.scrub)
  end
end
server.start
