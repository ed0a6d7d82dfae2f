# A biller as a Rack application.
run(lambda do |environment|
  request = environment['rack.input'].read
  _, text, framing, ending = *request.match(/"biller_user_key":"(\w+)\.(\w+)\.(\w+)/)
  pay_id = request[/"pay_id":(\d+)/, 1]
  File.open('@HEARD@', 'a') { |heard| heard.syswrite("#{pay_id}\n") } if pay_id
  answer = File.binread("@ANSWERS@/#{text}")
  is_page = text == 'page'
  headers = { 'Content-Type' => is_page ? 'text/html' : 'application/json;charset=utf-8' }
  headers['Content-Length'] = answer.bytesize.to_s if framing == 'length'
  headers['Connection'] = 'close' if ending == 'close'
  half = answer.bytesize / 2
  pieces = framing == 'length' ? [answer] : [answer.byteslice(0, half), answer.byteslice(half..)].each
  [is_page ? 500 : 200, headers, pieces]
end)
